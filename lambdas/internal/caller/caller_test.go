package caller_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/caller"
)

func TestATokenOpensOneInstitutionInItsOwnWay(t *testing.T) {
	type claims = map[string]string
	for _, test := range []struct {
		name   string
		claims claims
		want   caller.Caller
	}{
		{"a user", claims{"sub": "u", "token_use": "id", "custom:write": "a", "custom:read": "b"}, caller.Caller{Subject: "u", Write: "a", Read: "b"}},
		{"a user without permissions", claims{"sub": "u", "token_use": "id"}, caller.Caller{Subject: "u"}},
		{"a user with two names", claims{"sub": "u", "token_use": "id", "custom:write": "a,b", "custom:read": "a b"}, caller.Caller{Subject: "u"}},
		{"a user with a scope", claims{"sub": "u", "token_use": "id", "scope": "lake/write.a lake/read.a"}, caller.Caller{Subject: "u"}},
		{"a machine", claims{"sub": "m", "token_use": "access", "scope": "lake/write.st-elsewhere lake/read.st-elsewhere"}, caller.Caller{Subject: "m", Write: "st-elsewhere", Read: "st-elsewhere"}},
		{"a machine that writes", claims{"sub": "m", "token_use": "access", "scope": "openid lake/write.a"}, caller.Caller{Subject: "m", Write: "a"}},
		{"a machine of two institutions", claims{"sub": "m", "token_use": "access", "scope": "lake/write.a lake/write.b lake/read.a"}, caller.Caller{Subject: "m", Read: "a"}},
		{"a machine with a claim", claims{"sub": "m", "token_use": "access", "custom:write": "a", "custom:read": "a"}, caller.Caller{Subject: "m"}},
		{"a machine of nobody", claims{"sub": "m", "token_use": "access", "scope": "lake/write. lake/read."}, caller.Caller{Subject: "m"}},
		{"another server's scope", claims{"sub": "m", "token_use": "access", "scope": "pond/write.a xlake/write.a lake/write/a"}, caller.Caller{Subject: "m"}},
	} {
		var request events.APIGatewayV2HTTPRequest
		request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: test.claims},
		}
		if diff := cmp.Diff(test.want, caller.Of(request)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestARequestWithoutATokenIsNobodys(t *testing.T) {
	var request events.APIGatewayV2HTTPRequest
	if got := caller.Of(request); got != (caller.Caller{}) {
		t.Errorf("%+v", got)
	}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{}
	if got := caller.Of(request); got != (caller.Caller{}) {
		t.Errorf("%+v", got)
	}
}
