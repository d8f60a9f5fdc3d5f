package fake

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/dynamodb"
	"hl7lake/local/template"
)

func TestTheTablesAreThoseOfTheTemplates(t *testing.T) {
	read := func(text []byte) (table dynamodb.Table) {
		t.Helper()
		if err := json.Unmarshal(text, &table); err != nil {
			t.Fatal(err)
		}
		return table
	}
	assembly, err := template.Load("../../../test/snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []dynamodb.Table
	for _, r := range assembly.OfType("AWS::DynamoDB::Table") {
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, read(text))
	}
	for _, name := range []string{Catalog, Received, Shares} { // in the order of the stacks
		got = append(got, read([]byte(definitions()[name])))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the templates' (-) and the tests' tables (+):\n%s", diff)
	}
}
