package httpapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"hl7lake/local/httpapi"
)

const (
	apiID     = "testapi123"
	issuer    = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_TESTPOOL1"
	audience  = "abcdefghijklmnopqrstuvwxyz"
	ingestARN = "arn:aws:lambda:us-east-1:123456789012:function:ingest"
)

type invoker func(ctx context.Context, arn string, payload []byte) (output, functionError string, err error)

func (i invoker) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	output, functionError, err := i(ctx, arn, payload)
	return []byte(output), functionError, err
}

// answering is a function that always answers the same.
func answering(output string) invoker {
	return func(context.Context, string, []byte) (string, string, error) { return output, "", nil }
}

// signer makes tokens of an issuer that the API trusts.
type signer struct{ key *rsa.PrivateKey }

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key}
}

func (s signer) keys(of string) (*jose.JSONWebKeySet, bool) {
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k", Algorithm: "RS256"}}}, of == issuer
}

// token signs claims added to valid ones; a nil value removes one.
func (s signer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": issuer, "aud": audience, "sub": "u", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(by).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// api has routes to the ingest function; those under /open need no token.
func api(t *testing.T, function invoker, keys httpapi.Keys) http.Handler {
	t.Helper()
	s := httpapi.New(function, keys)
	load := func(text string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var a httpapi.Api
	load(`{"Name":"test","ProtocolType":"HTTP","Description":"d"}`, &a)
	check(s.AddApi(apiID, a))
	var z httpapi.Authorizer
	load(`{"ApiId":"`+apiID+`","AuthorizerType":"JWT","IdentitySource":["$request.header.Authorization"],"Name":"Users",
		"JwtConfiguration":{"Audience":["`+audience+`"],"Issuer":"`+issuer+`"}}`, &z)
	check(s.AddAuthorizer("users", z))
	var i httpapi.Integration
	load(`{"ApiId":"`+apiID+`","IntegrationType":"AWS_PROXY","PayloadFormatVersion":"2.0","IntegrationUri":"`+ingestARN+`"}`, &i)
	check(s.AddIntegration("ingest", i))
	for _, key := range []string{"POST /er7", "GET /messages/{id}", "GET /messages/{id}/er7"} {
		check(s.AddRoute(httpapi.Route{ApiId: apiID, RouteKey: key, Target: "integrations/ingest", AuthorizationType: "JWT", AuthorizerId: "users"}))
	}
	for _, key := range []string{"POST /open", "ANY /open", "GET /open/{id}", "GET /open/fixed", "GET /open/{rest+}", "GET /open/{id}/tail"} {
		check(s.AddRoute(httpapi.Route{ApiId: apiID, RouteKey: key, Target: "integrations/ingest"}))
	}
	check(s.AddRoute(httpapi.Route{ApiId: apiID, RouteKey: "GET /scoped", Target: "integrations/ingest",
		AuthorizationType: "JWT", AuthorizerId: "users", AuthorizationScopes: []string{"read", "write"}}))
	check(s.AddStage(httpapi.Stage{ApiId: apiID, StageName: "$default"}))
	return s.Unsigned(nil)
}

func ask(handler http.Handler, method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnAPIWithoutItsStageAnswersNothing(t *testing.T) {
	s := httpapi.New(answering(`{"statusCode":200}`), newSigner(t).keys)
	if err := errors.Join(s.AddApi(apiID, httpapi.Api{ProtocolType: "HTTP"}), s.AddRoute(httpapi.Route{ApiId: apiID, RouteKey: "$default"})); err != nil {
		t.Fatal(err)
	}
	if response := ask(s.Unsigned(nil), "GET", "/", ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("got %d", response.StatusCode)
	}
	if err := s.AddStage(httpapi.Stage{ApiId: apiID, StageName: "$default"}); err != nil {
		t.Fatal(err)
	}
	if response := ask(s.Unsigned(nil), "GET", "/", ""); response.StatusCode != http.StatusOK {
		t.Errorf("got %d", response.StatusCode)
	}
}

func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	s := httpapi.New(answering(``), newSigner(t).keys)
	if err := s.AddApi(apiID, httpapi.Api{ProtocolType: "HTTP"}); err != nil {
		t.Fatal(err)
	}
	add := map[string]func(text []byte) error{
		"Api": func(text []byte) error {
			var a httpapi.Api
			return errors.Join(json.Unmarshal(text, &a), s.AddApi("x", a))
		},
		"Route": func(text []byte) error {
			var r httpapi.Route
			return errors.Join(json.Unmarshal(text, &r), s.AddRoute(r))
		},
		"Integration": func(text []byte) error {
			var i httpapi.Integration
			return errors.Join(json.Unmarshal(text, &i), s.AddIntegration("x", i))
		},
		"Authorizer": func(text []byte) error {
			var z httpapi.Authorizer
			return errors.Join(json.Unmarshal(text, &z), s.AddAuthorizer("x", z))
		},
		"Stage": func(text []byte) error {
			var g httpapi.Stage
			return errors.Join(json.Unmarshal(text, &g), s.AddStage(g))
		},
	}
	for _, test := range []struct{ kind, properties, want string }{
		{"Api", `{"ProtocolType":"WEBSOCKET"}`, "ProtocolType"},
		{"Api", `{"ProtocolType":"HTTP","CorsConfiguration":{"AllowOrigins":["*"]}}`, "CorsConfiguration"},
		{"Route", `{"RouteKey":"GET /","AuthorizationType":"AWS_IAM"}`, "AWS_IAM"},
		{"Route", `{"RouteKey":"GET /","RequestParameters":{}}`, "RequestParameters"},
		{"Route", `{"RouteKey":"GET"}`, "RouteKey"},
		{"Route", `{"RouteKey":"GET /{a+}/b"}`, "greedy"},
		{"Integration", `{"IntegrationType":"HTTP_PROXY"}`, "HTTP_PROXY"},
		{"Integration", `{"IntegrationType":"AWS_PROXY","PayloadFormatVersion":"1.0"}`, "PayloadFormatVersion"},
		{"Integration", `{"IntegrationType":"AWS_PROXY","PayloadFormatVersion":"2.0","TimeoutInMillis":30001}`, "TimeoutInMillis"},
		{"Integration", `{"RequestParameters":{}}`, "RequestParameters"},
		{"Authorizer", `{"AuthorizerType":"REQUEST"}`, "REQUEST"},
		{"Authorizer", `{"AuthorizerType":"JWT","IdentitySource":["$request.querystring.token"]}`, "IdentitySource"},
		{"Stage", `{"StageName":"v1"}`, "StageName"},
		{"Stage", `{"StageName":"$default","StageVariables":{"name":"value"}}`, "StageVariables"},
	} {
		if err := add[test.kind]([]byte(test.properties)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: got %v", test.kind, test.properties, err)
		}
	}
}
