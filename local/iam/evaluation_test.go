package iam_test

// This file is about conditions and principals, which are in match.go and iam.go.

import (
	"encoding/json"
	"testing"

	"hl7lake/local/iam"
	"hl7lake/local/wire"
)

const (
	stranger = "arn:aws:iam::999988887777:role/engine" // of another account
	kmsKey   = "arn:aws:kms:us-east-1:" + wire.Account + ":key/0b8f"
	ours     = "arn:aws:iam::" + wire.Account + ":root"
	theirs   = "arn:aws:iam::999988887777:root"
)

// TestAConditionHoldsAsTheUserGuideSays follows "IAM JSON policy elements:
// Condition operators" and "IAM policy elements: Variables and tags".
func TestAConditionHoldsAsTheUserGuideSays(t *testing.T) {
	for name, test := range map[string]struct {
		condition string
		keys      map[string]string
		holds     bool
	}{
		"ArnEquals knows wildcards":                 {`{"ArnEquals":{"k":"arn:aws:sns:*:*:hub"}}`, map[string]string{"k": "arn:aws:sns:us-east-1:1:hub"}, true},
		"ArnNotEquals knows them too":               {`{"ArnNotEquals":{"k":"arn:aws:iam::1:role/writer-*"}}`, map[string]string{"k": "arn:aws:iam::1:role/writer-7"}, false},
		"an ARN's wildcard stays in its part":       {`{"ArnLike":{"k":"arn:aws:sns:*:1:hub"}}`, map[string]string{"k": "arn:aws:sns:us-east-1:2:1:hub"}, false},
		"an ARN's last part has colons":             {`{"ArnLike":{"k":"arn:aws:logs:us-east-1:1:log-group:*"}}`, map[string]string{"k": "arn:aws:logs:us-east-1:1:log-group:a:*"}, true},
		"StringEquals knows no wildcards":           {`{"StringEquals":{"k":"a*"}}`, map[string]string{"k": "ab"}, false},
		"a number in the policy keeps its digits":   {`{"StringEquals":{"k":123456789012}}`, map[string]string{"k": "123456789012"}, true},
		"what is no number is not below one":        {`{"NumericLessThan":{"k":"1.2"}}`, map[string]string{"k": "old"}, false},
		"no number is below what is none":           {`{"NumericLessThan":{"k":"new"}}`, map[string]string{"k": "-1"}, false},
		"at most includes the number itself":        {`{"NumericLessThanEquals":{"k":"10"}}`, map[string]string{"k": "10.0"}, true},
		"less does not":                             {`{"NumericLessThan":{"k":"10"}}`, map[string]string{"k": "10"}, false},
		"more does not include it":                  {`{"NumericGreaterThan":{"k":"10"}}`, map[string]string{"k": "10"}, false},
		"more is more":                              {`{"NumericGreaterThan":{"k":"10"}}`, map[string]string{"k": "11"}, true},
		"at least includes it":                      {`{"NumericGreaterThanEquals":{"k":"10"}}`, map[string]string{"k": "10"}, true},
		"at least is not less":                      {`{"NumericGreaterThanEquals":{"k":"10"}}`, map[string]string{"k": "9"}, false},
		"IfExists holds without the key":            {`{"StringEqualsIfExists":{"k":"a"}}`, nil, true},
		"IfExists compares the key":                 {`{"StringEqualsIfExists":{"k":"a"}}`, map[string]string{"k": "b"}, false},
		"the name of a key ignores case":            {`{"StringEquals":{"AWS:principaltag/READ":"a"}}`, map[string]string{"aws:PrincipalTag/read": "a"}, true},
		"Null in any case":                          {`{"Null":{"k":"TRUE"}}`, nil, true},
		"? is one character, whatever its bytes":    {`{"StringLike":{"k":"M?ller"}}`, map[string]string{"k": "Müller"}, true},
		"a variable":                                {`{"StringEquals":{"k":"${aws:PrincipalTag/read}"}}`, map[string]string{"k": "a", "aws:PrincipalTag/read": "a"}, true},
		"a variable's default":                      {`{"StringEquals":{"k":"${aws:PrincipalTag/read, 'nobody'}"}}`, map[string]string{"k": "nobody"}, true},
		"a default that is not needed":              {`{"StringEquals":{"k":"${aws:PrincipalTag/read, 'nobody'}"}}`, map[string]string{"k": "a", "aws:PrincipalTag/read": "a"}, true},
		"nothing equals a variable without a value": {`{"StringEquals":{"k":"${aws:PrincipalTag/read}"}}`, map[string]string{"k": ""}, false},
		"everything differs from one":               {`{"StringNotEquals":{"k":"${aws:PrincipalTag/read}"}}`, map[string]string{"k": "a"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":`+test.condition+`}`, "")
			err := e.Authorize(wire.WithCaller(t.Context(), role), "s3:GetObject", bucket+"/a", test.keys)
			if (err == nil) != test.holds {
				t.Errorf("%s of %v: %v, want holds %v", test.condition, test.keys, err, test.holds)
			}
		})
	}
}

// TestWhoACallIsGrantedTo follows "AWS JSON policy elements: Principal",
// "Cross-account policy evaluation logic" and, for keys, "Key policies in AWS KMS".
func TestWhoACallIsGrantedTo(t *testing.T) {
	type statements = string
	allow := func(principal string) statements {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}`
	}
	deny := func(principal string) statements {
		return `{"Effect":"Deny","Principal":` + principal + `,"Action":"*","Resource":"*"}`
	}
	const all = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for name, test := range map[string]struct {
		caller, on    string
		own, resource statements
		granted       bool
	}{
		"a stranger by both sides":                    {stranger, bucket, all, allow(`{"AWS":"` + stranger + `"}`), true},
		"a stranger by its account and its own":       {stranger, bucket, all, allow(`{"AWS":"999988887777"}`), true},
		"a stranger by everybody and its own":         {stranger, bucket, all, allow(`"*"`), true},
		"a stranger by its own policy alone":          {stranger, bucket, all, "", false},
		"a stranger by the bucket alone":              {stranger, bucket, "", allow(`{"AWS":"` + stranger + `"}`), false},
		"a stranger by the account of others":         {stranger, bucket, all, allow(`{"AWS":"` + ours + `"}`), false},
		"the account alone allows nobody in it":       {role, bucket, "", allow(`{"AWS":"` + ours + `"}`), false},
		"a deny of the account":                       {role, bucket, all, deny(`{"AWS":"` + ours + `"}`), false},
		"a deny of the account by its id":             {role, bucket, all, deny(`{"AWS":"` + wire.Account + `"}`), false},
		"a deny of another account":                   {role, bucket, all, deny(`{"AWS":"` + theirs + `"}`), true},
		"a service is in no account":                  {"sns.amazonaws.com", bucket, "", allow(`{"Service":"sns.amazonaws.com"}`) + "," + deny(`{"AWS":"`+ours+`"}`), true},
		"a service is somebody":                       {"sns.amazonaws.com", bucket, "", allow(`{"Service":"sns.amazonaws.com"}`) + "," + deny(`"*"`), false},
		"nobody, where everybody is let in":           {"", bucket, "", allow(`{"AWS":"*"}`), true},
		"nobody, where an account is":                 {"", bucket, "", allow(`{"AWS":"` + ours + `"}`), false},
		"a service has no policies of its own":        {"sns.amazonaws.com", bucket, all, "", false},
		"a key that lets the account, and the role's": {role, kmsKey, all, allow(`{"AWS":"` + ours + `"}`), true},
		"a key that lets the account alone":           {role, kmsKey, "", allow(`{"AWS":"` + ours + `"}`), false},
		"a key that does not let the account":         {role, kmsKey, all, allow(`{"AWS":"` + role + `2"}`), false},
		"a key that names the role":                   {role, kmsKey, "", allow(`{"AWS":"` + role + `"}`), true},
		"a key that does not let the root":            {iam.Root, kmsKey, "", allow(`{"AWS":"` + role + `"}`), false},
		"a key that lets the root":                    {iam.Root, kmsKey, "", allow(`{"AWS":"` + ours + `"}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			e := iam.New()
			if test.own != "" {
				if err := e.AttachToRole(test.caller, document(t, test.own)); err != nil {
					t.Fatal(err)
				}
			}
			if test.resource != "" {
				if err := e.AttachToResource(test.on, document(t, test.resource)); err != nil {
					t.Fatal(err)
				}
			}
			err := e.Authorize(wire.WithCaller(t.Context(), test.caller), "s3:GetObject", test.on, nil)
			if (err == nil) != test.granted {
				t.Errorf("got %v, want granted %v", err, test.granted)
			}
		})
	}
}

func TestAResourcesWildcardStaysInItsPart(t *testing.T) {
	const machine = "arn:aws:states:us-east-1:" + wire.Account + ":stateMachine:workflow"
	for pattern, granted := range map[string]bool{
		"arn:aws:states:*:*:stateMachine:*":    true,
		"arn:aws:states:*:stateMachine:*":      false,
		"arn:aws:states:*:*:*":                 true,
		"arn:aws:states:*:*:stateMachine:work": false,
	} {
		e := engine(t, `{"Effect":"Allow","Action":"states:*","Resource":"`+pattern+`"}`, "")
		err := e.Authorize(wire.WithCaller(t.Context(), role), "states:StartSyncExecution", machine, nil)
		if (err == nil) != granted {
			t.Errorf("%s: %v, want granted %v", pattern, err, granted)
		}
	}
}

// TestTheKeysOfARequestAreThoseOfItsCaller follows "AWS global condition context keys".
func TestTheKeysOfARequestAreThoseOfItsCaller(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:" + wire.Account + ":function:writer"
	for condition, holds := range map[string]bool{
		`{"Null":{"aws:PrincipalArn":"true"}}`:                          true,
		`{"StringEquals":{"aws:SourceAccount":"999988887777"}}`:         true,
		`{"StringEquals":{"aws:SourceAccount":"` + wire.Account + `"}}`: false,
	} {
		e := iam.New()
		statement := `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"*","Resource":"*","Condition":` + condition + `}`
		if err := e.AttachToResource(function, document(t, statement)); err != nil {
			t.Fatal(err)
		}
		ctx := wire.WithSource(t.Context(), "sns.amazonaws.com", "arn:aws:sns:us-east-1:999988887777:hub")
		if err := e.Authorize(ctx, "lambda:InvokeFunction", function, nil); (err == nil) != holds {
			t.Errorf("%s: %v, want holds %v", condition, err, holds)
		}
	}
}

func TestVariablesAreOnesOfTheNewestVersionOnly(t *testing.T) {
	var d iam.Document
	const statement = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/${aws:PrincipalTag/read}/*"}`
	if err := json.Unmarshal([]byte(`{"Version":"2008-10-17","Statement":[`+statement+`]}`), &d); err != nil {
		t.Fatal(err)
	}
	if err := iam.New().AttachToRole(role, d); err == nil {
		t.Error("took ${aws:PrincipalTag/read} for a variable in the version 2008-10-17")
	}
}
