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
	List   []struct{ Known int }
	Map    map[string]struct{ Known int }
	Inner  string `json:"-"`
}

func TestPropertiesAreDecodedWithoutTheIgnoredOnes(t *testing.T) {
	var got properties
	err := wire.Properties([]byte(`{"Name":"n","Nested":{"Known":true},"Tags":[{"Key":"k"}]}`), &got, wire.Ignored{"Tags": "why"})
	if diff := cmp.Diff(properties{Name: "n", Nested: struct{ Known bool }{true}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAnIgnoredPropertyMayBeInsideOthersAndInLists(t *testing.T) {
	var got properties
	text := `{"List":[{"Known":1,"Days":5},{"Known":2}],"Nested":{"Known":true,"More":{"Deep":1}}}`
	if err := wire.Properties([]byte(text), &got, wire.Ignored{"List.Days": "why", "Nested.More": "why"}); err != nil {
		t.Fatal(err)
	}
	if len(got.List) != 2 || got.List[1].Known != 2 || !got.Nested.Known {
		t.Errorf("got %+v", got)
	}
	err := wire.Properties([]byte(text), &got, wire.Ignored{"List": "why", "Nested.More.Deep": "why"})
	if err == nil || !strings.Contains(err.Error(), "property Nested.More is not run") {
		t.Errorf("only its inside was ignored: %v", err)
	}
}

func TestAPropertyThatIsNotRunIsRefusedByName(t *testing.T) {
	for text, want := range map[string]string{
		`{"FifoQueue":true}`:                "property FifoQueue is not run",
		`{"Nested":{"Known":true,"New":1}}`: "property Nested.New is not run",
		`{"Tags":[]}`:                       "property Tags is not run",
		`{"Name":5}`:                        "property Name: a number cannot be used here",
		`{"Nested":{"Known":"yes"}}`:        "property Nested.Known: a string cannot be used here",
		`[]`:                                "properties",
		`{"name":"n"}`:                      "property name is not run",
		`{"List":[{"Known":1},{"New":1}]}`:  "property List[1].New is not run",
		`{"Map":{"a":{"New":1}}}`:           "property Map.a.New is not run",
		`{"Inner":"x"}`:                     "property Inner is not run",
	} {
		if err := wire.Properties([]byte(text), new(properties), nil); err == nil || !strings.Contains(err.Error(), want) {
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
