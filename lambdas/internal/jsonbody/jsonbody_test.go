package jsonbody_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/testing/canary"
	"hl7lake/lambdas/internal/jsonbody"
	"hl7lake/lambdas/internal/problem"
)

func TestABodyIsReadStrictly(t *testing.T) {
	for _, test := range []struct {
		name, body string
		base64     bool
		want       string // the member a, or the code of the refusal
	}{
		{"an object", `{"a":"x"}`, false, "x"},
		{"with blanks around it", " \r\n{ \"a\" : \"x\" }\n", false, "x"},
		{"in base64", "eyJhIjoieCJ9", true, "x"},
		{"nothing", "", false, "before"},
		{"blanks", " \n", false, "before"},
		{"an empty object", "{}", false, "before"},
		{"an unknown member", `{"a":"x","b":"` + canary.ControlID + `"}`, false, "bad-json"},
		{"another type", `{"a":1}`, false, "bad-json"},
		{"a list", `[{"a":"x"}]`, false, "bad-json"},
		{"null", `null`, false, "bad-json"},
		{"two objects", `{"a":"x"}{"a":"y"}`, false, "bad-json"},
		{"half of one", `{"a":"x"`, false, "bad-json"},
		{"text", canary.ControlID, false, "bad-json"},
		{"no base64", "{}", true, "bad-json"},
		{"more than 16 KB", `{"a":"` + strings.Repeat("x", 16<<10) + `"}`, false, "too-large"},
	} {
		into := struct {
			A string `json:"a"`
		}{"before"}
		err := jsonbody.Read(events.APIGatewayV2HTTPRequest{Body: test.body, IsBase64Encoded: test.base64}, &into)
		got := into.A
		if refused, ok := errors.AsType[*problem.Problem](err); ok {
			got = refused.Code
			canary.Check(t, test.name, refused.Detail)
		}
		if got != test.want {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}
