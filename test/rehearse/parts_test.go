package rehearse_test

import "testing"

func TestOnlyThisMachineIsRehearsedOn(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:4566": true, "https://localhost:9297": true, "http://[::1]:4566": true,
		"https://s3.us-east-1.amazonaws.com": false, "http://10.0.0.7:4566": false, "http://127.0.0.1.example.org": false,
		"127.0.0.1:4566": false, "": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("loopback(%q) is %t", address, got)
		}
	}
}

func TestAPropertyIsWrongIfTheServiceSaysAnother(t *testing.T) {
	object := func(name string, value any) map[string]any { return map[string]any{name: value} }
	for name, one := range map[string]struct {
		want, got any
		differs   bool
	}{
		"the same text":                      {"aws:kms", "aws:kms", false},
		"another text":                       {"aws:kms", "AES256", true},
		"a number as text":                   {float64(345600), "345600", false},
		"nothing":                            {true, nil, true},
		"more than was asked for":            {object("a", "1"), map[string]any{"a": "1", "b": "2"}, false},
		"less than was asked for":            {object("a", "1"), object("b", "2"), true},
		"what is computed at deployment":     {object("Fn::GetAtt", []any{"Key", "Arn"}), "arn:aws:kms:…", false},
		"a list in another order":            {[]any{"a", "b"}, []any{"b", "a"}, false},
		"a longer list":                      {[]any{"a"}, []any{"a", "b"}, true},
		"JSON as text, as SNS answers":       {object("kind", []any{"er7"}), `{"kind":["er7"]}`, false},
		"other JSON as text":                 {object("kind", []any{"er7"}), `{"kind":["xml"]}`, true},
		"a text that looks like JSON itself": {"1", "1", false},
	} {
		if difference := differs(name, one.want, one.got); (difference != "") != one.differs {
			t.Errorf("%s: %q", name, difference)
		}
	}
}

func TestWhatRefersToAResourceLeftOutIsGivenAText(t *testing.T) {
	document := map[string]any{"Policies": []any{map[string]any{"Ref": "Gone"}, map[string]any{"Ref": "Kept"}}}
	replace(document, func(intrinsic string, argument any) (string, bool) {
		return "left-out-Gone", intrinsic == "Ref" && argument == "Gone"
	})
	policies := document["Policies"].([]any)
	if policies[0] != "left-out-Gone" || policies[1].(map[string]any)["Ref"] != "Kept" {
		t.Errorf("the policies are %v", policies)
	}
}
