package iam_test

// This file is about trust policies of roles that an identity pool gives.

import (
	"testing"

	"hl7lake/local/iam"
)

// The keys of a session that the identity pool vouches for. amr has two values.
func TestARoleIsTakenOnlyAsItsTrustPolicyAllows(t *testing.T) {
	const (
		provider = "cognito-identity.amazonaws.com"
		pool     = `"StringEquals":{"cognito-identity.amazonaws.com:aud":"pool"}`
	)
	allow := func(actions, conditions string) string {
		return `{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":` + actions + `,"Condition":{` + conditions + `}}`
	}
	const both = `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`
	keys := map[string][]string{provider + ":aud": {"pool"}, provider + ":amr": {"authenticated", "users"}}
	tags := map[string]string{"read": "ours"}
	for name, test := range map[string]struct {
		trust   string
		tags    map[string]string
		granted bool
	}{
		"nothing":                       {"", nil, false},
		"of the pool":                   {allow(both, pool), tags, true},
		"of another pool":               {allow(both, `"StringEquals":{"cognito-identity.amazonaws.com:aud":"another"}`), tags, false},
		"without the right to tag":      {allow(`"sts:AssumeRoleWithWebIdentity"`, pool), tags, false},
		"without it, and without tags":  {allow(`"sts:AssumeRoleWithWebIdentity"`, pool), nil, true},
		"a deny":                        {allow(both, pool) + `,{"Effect":"Deny","Principal":{"Federated":"` + provider + `"},"Action":"sts:*"}`, tags, false},
		"another provider":              {`{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:*"}`, tags, false},
		"one value of several":          {allow(both, `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`), tags, true},
		"none of several":               {allow(both, `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"unauthenticated"}`), tags, false},
		"any of a key that is absent":   {allow(both, `"ForAnyValue:StringLike":{"absent":"*"}`), tags, false},
		"each value":                    {allow(both, `"ForAllValues:StringLike":{"cognito-identity.amazonaws.com:amr":["auth*","users"]}`), tags, true},
		"not each value":                {allow(both, `"ForAllValues:StringLike":{"cognito-identity.amazonaws.com:amr":"auth*"}`), tags, false},
		"each of a key that is absent":  {allow(both, `"ForAllValues:StringLike":{"absent":"x"}`), tags, true},
		"a tag that is asked for":       {allow(`"sts:AssumeRoleWithWebIdentity"`, pool) + "," + allow(`"sts:TagSession"`, `"StringEquals":{"aws:RequestTag/read":"ours"}`), tags, true},
		"a tag that is not":             {allow(`"sts:AssumeRoleWithWebIdentity"`, pool) + "," + allow(`"sts:TagSession"`, `"StringEquals":{"aws:RequestTag/read":"theirs"}`), tags, false},
		"if it is there, and it is not": {allow(both, `"ForAnyValue:StringEqualsIfExists":{"absent":"x"}`), tags, true},
	} {
		e := iam.New()
		if test.trust != "" {
			if err := e.AttachTrust(role, document(t, test.trust)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := e.Federate(role, provider, keys, test.tags); (err == nil) != test.granted {
			t.Errorf("%s: %v", name, err)
		}
	}
}
