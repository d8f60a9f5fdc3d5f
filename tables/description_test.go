package tables_test

// This file is about the description of the columns, in the describe files, and of
// docs/tables.md.

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"hl7lake/hl7"
	"hl7lake/tables"
)

func TestEveryColumnIsDescribed(t *testing.T) {
	names := map[string]bool{}
	for _, table := range tables.New().All() {
		if names[table.Name] || table.Doc == "" || !strings.HasPrefix(table.Doc, "One row a") {
			t.Errorf("%s is there twice, or does not say what a row is", table.Name)
		}
		names[table.Name] = true
		columns := map[string]bool{}
		for _, c := range table.Columns {
			if columns[c.Name] {
				t.Errorf("%s.%s is there twice", table.Name, c.Name)
			}
			columns[c.Name] = true
			if c.Doc == "" || strings.HasSuffix(c.Doc, ".") {
				t.Errorf("%s.%s has no doc, or one that ends in a full stop", table.Name, c.Name)
			}
			if c.Class < tables.Plain || c.Class > tables.FreeText || c.Class.String() == "" {
				t.Errorf("%s.%s has no class", table.Name, c.Name)
			}
			if c.Path == "" {
				continue
			}
			for path := range strings.SplitSeq(c.Path, ", ") {
				if _, err := hl7.ParsePath(path); err != nil {
					t.Errorf("%s.%s: %v", table.Name, c.Name, err)
				}
			}
		}
		for _, key := range table.Key {
			if i := table.Index(key); i < 0 || !table.Columns[i].Required {
				t.Errorf("%s: the key's column %s is not there, or may be NULL", table.Name, key)
			}
		}
	}
}

func TestTheFileHasTheColumnsOfTheDescriptionInItsOrder(t *testing.T) {
	body, err := os.ReadFile("testdata/admission.hl7")
	if err != nil {
		t.Fatal(err)
	}
	files := written(t, tables.Message{Root: root, Received: received, Body: body})
	for _, table := range tables.New().All() {
		file := files[table.Name]
		if file == nil {
			continue
		}
		r, err := tables.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, c := range table.Columns {
			want = append(want, c.Name)
		}
		if !slices.Equal(r.Columns, want) {
			t.Errorf("%s has the columns %v, want %v", table.Name, r.Columns, want)
		}
	}
}

// TestTheDocumentIsTheDescription compares docs/tables.md, from its first table on, with
// the description.
func TestTheDocumentIsTheDescription(t *testing.T) {
	const file = "../docs/tables.md"
	document, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(document, []byte("\n## messages\n"))
	if i < 0 {
		t.Fatal("docs/tables.md has no section about messages")
	}
	introduction := document[:i+1]
	want := append(slices.Clone(introduction), tables.Markdown()...)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(document, want) {
		t.Error("docs/tables.md is not what the description says; go test ./tables -update writes it anew")
	}
}
