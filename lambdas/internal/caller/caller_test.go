package caller_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/caller"
)

func TestATokenOpensInstitutionsInItsOwnWay(t *testing.T) {
	type claims = map[string]string
	for _, test := range []struct {
		name   string
		claims claims
		want   caller.Caller
	}{
		{"a user", claims{"sub": "u", "token_use": "id", "custom:write": "a", "custom:read": "b"}, caller.Caller{Subject: "u", Write: "a", Read: []string{"b"}}},
		{"a user who reads several", claims{"sub": "u", "token_use": "id", "custom:read": "b", "custom:read2": "", "custom:read3": "c", "custom:read4": "b"},
			caller.Caller{Subject: "u", Read: []string{"b", "c"}}},
		{"a user whose first is no name", claims{"sub": "u", "token_use": "id", "custom:read": "a,b", "custom:read2": "c", "custom:read5": "d"},
			caller.Caller{Subject: "u", Read: []string{"c"}}},
		{"a user who operates", claims{"sub": "u", "token_use": "id", "custom:operate": "a", "custom:read": "b"}, caller.Caller{Subject: "u", Operate: "a", Read: []string{"b"}}},
		{"a user who operates on two", claims{"sub": "u", "token_use": "id", "custom:operate": "a,b", "custom:operate2": "c"}, caller.Caller{Subject: "u"}},
		{"a user without permissions", claims{"sub": "u", "token_use": "id"}, caller.Caller{Subject: "u"}},
		{"a user with two names", claims{"sub": "u", "token_use": "id", "custom:write": "a,b", "custom:read": "a b"}, caller.Caller{Subject: "u"}},
		{"a user with a scope", claims{"sub": "u", "token_use": "id", "scope": "lake/write.a lake/read.a"}, caller.Caller{Subject: "u"}},
		{"a machine", claims{"sub": "m", "token_use": "access", "scope": "lake/write.st-elsewhere lake/read.st-elsewhere"}, caller.Caller{Subject: "m", Write: "st-elsewhere", Read: []string{"st-elsewhere"}}},
		{"a machine that writes", claims{"sub": "m", "token_use": "access", "scope": "openid lake/write.a"}, caller.Caller{Subject: "m", Write: "a"}},
		{"a machine of two institutions", claims{"sub": "m", "token_use": "access", "scope": "lake/write.a lake/write.b lake/read.a"}, caller.Caller{Subject: "m", Read: []string{"a"}}},
		{"a machine with a claim", claims{"sub": "m", "token_use": "access", "custom:write": "a", "custom:read": "a", "custom:read2": "a", "custom:operate": "a"}, caller.Caller{Subject: "m"}},
		{"a machine that would operate", claims{"sub": "m", "token_use": "access", "scope": "lake/operate.a"}, caller.Caller{Subject: "m"}},
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
	if got := caller.Of(request); !cmp.Equal(got, caller.Caller{}) {
		t.Errorf("%+v", got)
	}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{}
	if got := caller.Of(request); !cmp.Equal(got, caller.Caller{}) {
		t.Errorf("%+v", got)
	}
}

func TestNobodyReadsOrSeesTheMessagesOfNobody(t *testing.T) {
	if nobody := (caller.Caller{Read: []string{""}}); nobody.MayRead("") || nobody.MayOperate("") || nobody.MaySee("") {
		t.Error("an empty name is an institution's")
	}
}

func TestWhoOperatesSeesAndDoesNotRead(t *testing.T) {
	for _, test := range []struct {
		by   caller.Caller
		sees []string
	}{
		{caller.Caller{}, nil},
		{caller.Caller{Read: []string{"a", "b"}}, []string{"a", "b"}},
		{caller.Caller{Operate: "c"}, []string{"c"}},
		{caller.Caller{Operate: "c", Read: []string{"a", "b"}}, []string{"a", "b", "c"}},
		{caller.Caller{Operate: "b", Read: []string{"a", "b"}}, []string{"a", "b"}},
	} {
		if diff := cmp.Diff(test.sees, test.by.Sees()); diff != "" {
			t.Errorf("%+v: %s", test.by, diff)
		}
		for _, owner := range []string{"", "a", "b", "c", "d"} {
			if got, want := test.by.MaySee(owner), slices.Contains(test.sees, owner); got != want {
				t.Errorf("%+v sees %q: %t", test.by, owner, got)
			}
			if test.by.MayRead(owner) != slices.Contains(test.by.Read, owner) || test.by.MayOperate(owner) != (owner != "" && owner == test.by.Operate) {
				t.Errorf("%+v and %q", test.by, owner)
			}
		}
	}
}
