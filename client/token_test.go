package client

import (
	"encoding/base64"
	"testing"
)

func TestClaimsAreThoseOfTheTokenAndEmptyWhereItCannotBeRead(t *testing.T) {
	token := func(payload string) string {
		return "header." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".signature"
	}
	for name, test := range map[string]struct {
		token string
		want  Claims
	}{
		"an ID token":               {token(`{"custom:write":"st-elsewhere","token_use":"id"}`), Claims{Write: "st-elsewhere"}},
		"an access token":           {token(`{"scope":"lake/write lake/read"}`), Claims{Scope: "lake/write lake/read"}},
		"neither claim":             {token(`{"sub":"1"}`), Claims{}},
		"a claim of another type":   {token(`{"custom:write":7,"scope":"lake/write"}`), Claims{}},
		"a payload that is no JSON": {token(`{"custom:write":"st-elsewhere"`), Claims{}},
		"a payload with padding":    {"header.eyJhIjoxfQ==.signature", Claims{}},
		"one part":                  {"opaque", Claims{}},
		"nothing":                   {"", Claims{}},
	} {
		if got := ReadClaims(test.token); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestATokenIsForOneInstitution(t *testing.T) {
	for want, claims := range map[string]Claims{
		"user":    {Write: "user"},
		"machine": {Scope: "lake/read.other lake/write.machine"},
		"":        {Scope: "lake/read.other aws.cognito.signin.user.admin"},
	} {
		if got := claims.Institution(); got != want {
			t.Errorf("%+v: got %q, want %q", claims, got, want)
		}
	}
}
