package httpapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"hl7lake/local/httpapi"
	"hl7lake/local/wire"
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

// answering is a function that always says the same.
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

// token signs claims over good ones; a nil value takes one away.
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
	return s.Handler(apiID)
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

func TestTheEventIsTheOneThatAPIGatewayMakes(t *testing.T) {
	signer := newSigner(t)
	var event map[string]any
	handler := api(t, func(ctx context.Context, arn string, payload []byte) (string, string, error) {
		if arn != ingestARN {
			t.Errorf("%s is invoked", arn)
		}
		if got, want := wire.Source(ctx), "arn:aws:execute-api:us-east-1:123456789012:testapi123/$default/GET/messages/{id}/er7"; got != want {
			t.Errorf("on behalf of %s, want %s", got, want)
		}
		var typed events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(payload, &typed); err != nil {
			t.Error(err)
		}
		return `{"statusCode":200}`, "", json.Unmarshal(payload, &event)
	}, signer.keys)
	token := signer.token(t, map[string]any{"cognito:groups": []string{"a", "b"}, "exp": 4102444800, "email_verified": true})
	response := ask(handler, "GET", "http://lake.test/messages/0190%20a/er7?a=1&a=2&b=", "",
		"Authorization", "Bearer "+token, "X-Twice", "one", "X-Twice", "two", "Cookie", "k=v; l=w", "User-Agent", "test")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", response.StatusCode, response.Header.Get("Www-Authenticate"))
	}
	request := event["requestContext"].(map[string]any)
	claims := request["authorizer"].(map[string]any)["jwt"].(map[string]any)["claims"].(map[string]any)
	for _, random := range []string{"requestId", "time", "timeEpoch"} {
		if request[random] == nil {
			t.Errorf("no %s", random)
		}
		delete(request, random)
	}
	delete(event["headers"].(map[string]any), "x-amzn-trace-id")
	delete(claims, "iat")
	want := map[string]any{
		"version": "2.0", "routeKey": "GET /messages/{id}/er7", "rawPath": "/messages/0190 a/er7", "rawQueryString": "a=1&a=2&b=",
		"cookies": []any{"k=v", "l=w"},
		"headers": map[string]any{"authorization": "Bearer " + token, "x-twice": "one,two", "host": "lake.test", "user-agent": "test",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"},
		"queryStringParameters": map[string]any{"a": "1,2", "b": ""},
		"pathParameters":        map[string]any{"id": "0190 a"},
		"isBase64Encoded":       false,
		"requestContext": map[string]any{
			"routeKey": "GET /messages/{id}/er7", "accountId": wire.Account, "stage": "$default", "apiId": apiID,
			"domainName": apiID + ".execute-api.us-east-1.amazonaws.com", "domainPrefix": apiID,
			"authorizer": map[string]any{"jwt": map[string]any{"scopes": nil, "claims": map[string]any{
				"iss": issuer, "aud": audience, "sub": "u", "exp": "4102444800", "cognito:groups": "[a b]", "email_verified": "true"}}},
			"http": map[string]any{"method": "GET", "path": "/messages/0190 a/er7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
		},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestARequestWithoutAGoodTokenIsUnauthorized(t *testing.T) {
	signer, stranger := newSigner(t), newSigner(t)
	handler := api(t, answering(`{"statusCode":200}`), signer.keys)
	past := time.Now().Add(-time.Hour).Unix()
	invalid := `Bearer scope="" error="invalid_token" error_description=`
	for name, test := range map[string]struct{ header, challenge string }{
		"none":              {"", "Bearer"},
		"only the scheme":   {"Bearer ", "Bearer"},
		"not a JWT":         {"Bearer abc", invalid + `"the token is not a signed JWT"`},
		"another key":       {"Bearer " + stranger.token(t, nil), invalid + `"the signature is invalid"`},
		"another issuer":    {"Bearer " + signer.token(t, map[string]any{"iss": issuer + "2"}), invalid + `"the token has an invalid issuer"`},
		"another audience":  {"Bearer " + signer.token(t, map[string]any{"aud": "x", "client_id": audience}), invalid + `"the token does not have a valid audience"`},
		"expired":           {"Bearer " + signer.token(t, map[string]any{"exp": past}), invalid + `"the token has expired"`},
		"without an expiry": {"Bearer " + signer.token(t, map[string]any{"exp": nil}), invalid + `"the token has expired"`},
		"not yet valid":     {"Bearer " + signer.token(t, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), invalid + `"the token is not valid yet"`},
	} {
		t.Run(name, func(t *testing.T) {
			response := ask(handler, "POST", "/er7", "", "Authorization", test.header)
			if response.StatusCode != http.StatusUnauthorized || body(t, response) != `{"message":"Unauthorized"}` {
				t.Errorf("got %d", response.StatusCode)
			}
			if got := response.Header.Get("Www-Authenticate"); got != test.challenge {
				t.Errorf("challenge %s, want %s", got, test.challenge)
			}
		})
	}
}

func TestATokenIsTakenWithOrWithoutItsScheme(t *testing.T) {
	signer := newSigner(t)
	handler := api(t, answering(`{"statusCode":201,"body":"in"}`), signer.keys)
	access := signer.token(t, map[string]any{"aud": nil, "client_id": audience})
	for _, header := range []string{"Bearer " + access, "bearer " + access, access} {
		if response := ask(handler, "POST", "/er7", "", "Authorization", header); response.StatusCode != http.StatusCreated {
			t.Errorf("got %d", response.StatusCode)
		}
	}
}
