package tables

import (
	"fmt"
	"strings"
)

// Markdown returns the reference of all tables: docs/tables.md after its introduction.
func Markdown() string {
	var b strings.Builder
	for _, t := range New().All() {
		fmt.Fprintf(&b, "## %s\n\n%s Key: `%s`.\n\n", t.Name, t.Doc, strings.Join(t.Key, "`, `"))
		b.WriteString("| column | type | from | what | class |\n|---|---|---|---|---|\n")
		for _, c := range t.Columns {
			kind := c.Type.Glue()
			if c.Required {
				kind += ", never NULL"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, kind, strings.ReplaceAll(c.Path, ", ", ", else "), strings.ReplaceAll(c.Doc, "|", `\|`), c.Class)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String returns the class's name in the documents.
func (c Class) String() string {
	return [...]string{
		Plain: "plain", Code: "code", Quantity: "quantity", State: "state", Name: "name", Identifier: "identifier", Address: "address", PostalCode: "postal code", Contact: "contact",
		Day: "date", Birth: "birth", Institution: "institution", FreeText: "free text",
	}[c]
}
