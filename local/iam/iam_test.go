package iam_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/iam"
	"hl7lake/local/lambda"
	"hl7lake/local/s3"
	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/wire"
)

const (
	role   = "arn:aws:iam::" + wire.Account + ":role/writer"
	bucket = "arn:aws:s3:::lake"
)

func engine(t *testing.T, identity, resource string) *iam.Engine {
	t.Helper()
	e := iam.New()
	e.Word(new(s3.Service).Dialect())
	if identity != "" {
		if err := e.AttachToRole(role, document(t, identity)); err != nil {
			t.Fatal(err)
		}
	}
	if resource != "" {
		if err := e.AttachToResource(bucket, document(t, resource)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func document(t *testing.T, statements string) (d iam.Document) {
	t.Helper()
	if err := json.Unmarshal([]byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestACallIsGrantedOnlyByAMatchingAllowWithoutADeny(t *testing.T) {
	const put = `{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::lake/ingestion/*"}`
	for name, test := range map[string]struct {
		identity, resource string
		caller, action, on string
		keys               map[string]string
		granted            bool
	}{
		"nothing allows": {caller: role, action: "s3:PutObject", on: bucket + "/a"},
		"an allow":       {identity: put, caller: role, action: "s3:PutObject", on: bucket + "/ingestion/a", granted: true},
		"another key":    {identity: put, caller: role, action: "s3:PutObject", on: bucket + "/error/a"},
		"another action": {identity: put, caller: role, action: "s3:GetObject", on: bucket + "/ingestion/a"},
		"another role":   {identity: put, caller: role + "2", action: "s3:PutObject", on: bucket + "/ingestion/a"},
		"an action in other case": {
			identity: put, caller: role, action: "S3:putobject", on: bucket + "/ingestion/a", granted: true,
		},
		"a deny beats an allow": {
			identity: put + `,{"Effect":"Deny","Action":"s3:*","Resource":"*"}`,
			caller:   role, action: "s3:PutObject", on: bucket + "/ingestion/a",
		},
		"a resource policy alone is enough": {
			resource: `{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`,
			caller:   role, action: "s3:GetObject", on: bucket + "/a", granted: true,
		},
		"a resource policy for a service": {
			resource: `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"s3:GetObject","Resource":"*"}`,
			caller:   "sns.amazonaws.com", action: "s3:GetObject", on: bucket + "/a", granted: true,
		},
		"TLS is taken as given here": {
			identity: put, resource: `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
			caller: role, action: "s3:PutObject", on: bucket + "/ingestion/a", granted: true,
		},
		"a condition that the request meets": {
			identity: `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"s3:x-amz-server-side-encryption":["aws:kms","AES256"]}}}`,
			caller:   role, action: "s3:PutObject", on: bucket + "/a", granted: true,
			keys: map[string]string{"s3:x-amz-server-side-encryption": "AES256"},
		},
		"a condition on a key that is absent": {
			identity: `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}`,
			caller:   role, action: "s3:PutObject", on: bucket + "/a",
		},
		"NotAction": {
			identity: `{"Effect":"Allow","NotAction":"s3:Delete*","Resource":"*"}`,
			caller:   role, action: "s3:DeleteObject", on: bucket + "/a",
		},
		"the root needs no allow": {caller: iam.Root, action: "s3:PutObject", on: bucket + "/a", granted: true},
		"nobody has no rights":    {identity: put, action: "s3:PutObject", on: bucket + "/ingestion/a"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := wire.WithCaller(t.Context(), test.caller)
			err := engine(t, test.identity, test.resource).Authorize(ctx, test.action, test.on, test.keys)
			if (err == nil) != test.granted {
				t.Errorf("got %v, want granted %v", err, test.granted)
			}
			if err != nil && wire.AsError(err).Code != "AccessDenied" {
				t.Errorf("S3 would say AccessDenied, not %s", wire.AsError(err).Code)
			}
		})
	}
}

func TestAServiceMayCallOnlyOnBehalfOfTheNamedResource(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:" + wire.Account + ":function:writer"
	e := iam.New()
	err := e.AttachToResource(function, iam.Allow("sns.amazonaws.com", "lambda:InvokeFunction", function,
		map[string]map[string]string{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:hub"}}))
	if err != nil {
		t.Fatal(err)
	}
	for source, granted := range map[string]bool{"arn:aws:sns:us-east-1:1:hub": true, "arn:aws:sns:us-east-1:1:other": false} {
		ctx := wire.WithSource(t.Context(), "sns.amazonaws.com", source)
		if err := e.Authorize(ctx, "lambda:InvokeFunction", function, nil); (err == nil) != granted {
			t.Errorf("for %s: %v, want granted %v", source, err, granted)
		}
	}
}

func TestGrantsThatNothingNeededAreListed(t *testing.T) {
	e := engine(t, `{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::lake/*"},
		{"Effect":"Allow","Action":"xray:PutTraceSegments","Resource":"*"}`, "")
	if err := e.Authorize(wire.WithCaller(t.Context(), role), "s3:PutObject", bucket+"/a", nil); err != nil {
		t.Fatal(err)
	}
	want := []iam.Grant{{Role: "writer", Action: "s3:GetObject", Resource: bucket + "/*"}}
	if diff := cmp.Diff(want, e.Unused("s3")); diff != "" {
		t.Errorf("unused grants (-want +got):\n%s", diff)
	}
}

func TestAPolicyThatCannotBeEvaluatedIsRefused(t *testing.T) {
	for _, statement := range []string{
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}}`,
		`{"Effect":"Deny","NotPrincipal":{"AWS":"x"},"Action":"s3:*","Resource":"*"}`,
		`{"Effect":"Allow","Principal":{"Service":""},"Action":"s3:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NullIfExists":{"aws:PrincipalArn":"true"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"${aws:PrincipalTag/tls}"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"s3:prefix":"${*}"}}}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${$}/*"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3*"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:*:role/writer"}}}`,
	} {
		if err := iam.New().AttachToRole(role, document(t, statement)); err == nil {
			t.Errorf("accepted %s", statement)
		}
	}
}

func TestWildcardsMatchAsInIAM(t *testing.T) {
	for _, test := range []struct {
		pattern, value string
		want           bool
	}{
		{"*", "", true},
		{"", "a", false},
		{"s3:Get*", "s3:GetObject", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"arn:*/ingestion/*", "arn:aws:s3:::lake/ingestion/a/b", true},
	} {
		if got := iam.Wildcard(test.pattern, test.value); got != test.want {
			t.Errorf("%q on %q is %v", test.pattern, test.value, got)
		}
	}
}

func TestARefusalIsWordedAsItsServiceDoes(t *testing.T) {
	for action, test := range map[string]struct {
		service interface{ Dialect() wire.Dialect }
		status  int
		code    string
	}{
		"sns:Publish":           {new(sns.Service), 403, "AuthorizationError"},
		"sqs:SendMessage":       {new(sqs.Service), 403, "AccessDenied"},
		"lambda:InvokeFunction": {new(lambda.Service), 403, "AccessDeniedException"},
		"dynamodb:PutItem":      {nil, 400, "AccessDeniedException"},
	} {
		e := iam.New()
		if test.service != nil {
			e.Word(test.service.Dialect())
		}
		got := wire.AsError(e.Authorize(wire.WithCaller(t.Context(), role), action, "*", nil))
		if got.Status != test.status || got.Code != test.code {
			t.Errorf("%s is refused with %d %s", action, got.Status, got.Code)
		}
		want := "User: " + role + " is not authorized to perform: " + action + " on resource: * because no identity-based policy allows the " + action + " action"
		if got.Message != want {
			t.Errorf("got  %s\nwant %s", got.Message, want)
		}
	}
}

func TestAPolicyThatIsNotEvaluatedNamesItsRole(t *testing.T) {
	d := document(t, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"DateGreaterThan":{"k":"2026-01-01T00:00:00Z"}}}`)
	for name, attach := range map[string]func(string, iam.Document) error{
		"a role's own": iam.New().AttachToRole, "a role's trust": iam.New().AttachTrust,
	} {
		if err := attach(role, d); err == nil || !strings.HasPrefix(err.Error(), "policy of writer: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
