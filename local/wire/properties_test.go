package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/wire"
)

type properties struct {
	Name   string
	Delay  *int
	Nested struct{ Known bool }
}

func TestPropertiesAreDecodedWithoutTheIgnoredOnes(t *testing.T) {
	var got properties
	err := wire.Properties([]byte(`{"Name":"n","Nested":{"Known":true},"Tags":[{"Key":"k"}]}`), &got, "Tags")
	if diff := cmp.Diff(properties{Name: "n", Nested: struct{ Known bool }{true}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAPropertyThatIsNotRunIsRefusedByName(t *testing.T) {
	for text, want := range map[string]string{
		`{"FifoQueue":true}`:                "property FifoQueue is not run",
		`{"Nested":{"Known":true,"New":1}}`: "property New is not run",
		`{"Tags":[]}`:                       "property Tags is not run",
		`{"Name":5}`:                        "property Name: a number cannot be used here",
		`{"Nested":{"Known":"yes"}}`:        "property Nested.Known: a string cannot be used here",
		`[]`:                                "properties",
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
