package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/wire"
)

type properties struct {
	Name   string
	Delay  *int
	Nested struct{ Known bool }
	List   []struct {
		Inner map[string]struct{ Deep int }
	}
	Tagged int `json:"tagged"`
	Free   json.RawMessage
	Hidden string `json:"-"`
}

func TestPropertiesAreDecodedWithoutTheIgnoredOnes(t *testing.T) {
	const text = `{"Name":"n","Nested":{"Known":true,"Other":{"x":1}},"Tags":[{"Key":"k"}],
		"List":[{"Inner":{"a":{"Deep":1}}},{"Age":3,"Inner":{"b":{"Deep":2}}}],"tagged":4,"Free":{"any":"thing"}}`
	ignored := wire.Ignored{"Tags": "they mean nothing", "Nested.Other": "nor this", "List.Age": "nor that", "Absent": ""}
	var got properties
	err := wire.Properties([]byte(text), &got, ignored)
	if err != nil || got.Name != "n" || !got.Nested.Known || len(got.List) != 2 || got.List[1].Inner["b"].Deep != 2 || got.Tagged != 4 {
		t.Errorf("%v: %+v", err, got)
	}
	if diff := cmp.Diff([]string{"List.Age", "Nested.Other", "Tags"}, ignored.Given([]byte(text))); diff != "" {
		t.Errorf("the ignored ones that are given (-want +got):\n%s", diff)
	}
}

func TestAPropertyThatIsNotRunIsRefusedByItsPath(t *testing.T) {
	for text, want := range map[string]string{
		`{"FifoQueue":true}`:                             "property FifoQueue is not run",
		`{"Nested":{"Known":true,"New":1}}`:              "property Nested.New is not run",
		`{"List":[{},{"Inner":{"a":{"New":1}}}]}`:        "property List.Inner.a.New is not run",
		`{"List":[{"Inner":{}},{"New":{"Known":true}}]}`: "property List.New is not run",
		`{"Tags":[]}`:                 "property Tags is not run",
		`{"name":"in another case"}`:  "property name is not run",
		`{"Tagged":1}`:                "property Tagged is not run",
		`{"Hidden":"h"}`:              "property Hidden is not run",
		`{"Name":5}`:                  "property Name: a JSON number cannot be used here",
		`{"Nested":{"Known":"yes"}}`:  "property Nested.Known: a JSON string cannot be used here",
		`{"Nested":[{"Known":true}]}`: "property Nested: a JSON array cannot be used here",
		`[]`:                          "cannot be used here",
		`{`:                           "properties",
	} {
		if err := wire.Properties([]byte(text), new(properties)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestAServiceCallsForAResource(t *testing.T) {
	ctx := wire.WithSource(t.Context(), "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:hub")
	if wire.Caller(ctx) != "sns.amazonaws.com" || wire.Source(ctx) != "arn:aws:sns:us-east-1:123456789012:hub" {
		t.Errorf("caller %q, source %q", wire.Caller(ctx), wire.Source(ctx))
	}
	if wire.Source(t.Context()) != "" {
		t.Error("a principal that calls for itself has no source")
	}
}
