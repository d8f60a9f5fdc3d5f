package fake

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local"
	"hl7lake/local/dynamodb"
)

func TestTheTablesAreThoseOfTheTemplates(t *testing.T) {
	read := func(text []byte) (table dynamodb.Table) {
		t.Helper()
		if err := json.Unmarshal(text, &table); err != nil {
			t.Fatal(err)
		}
		return table
	}
	assembly, err := local.Load("../../../test/snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	var templates []dynamodb.Table
	for _, r := range assembly.OfType("AWS::DynamoDB::Table") {
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		templates = append(templates, read(text))
	}
	for name, definition := range definitions() {
		same := func(of dynamodb.Table) bool { return cmp.Equal(of, read([]byte(definition))) }
		if !slices.ContainsFunc(templates, same) {
			t.Errorf("no table of the templates is like %s: %+v", name, templates)
		}
	}
}
