package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

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

func TestAScopedRouteWantsATokenWithOneOfItsScopes(t *testing.T) {
	signer := newSigner(t)
	var scopes []string
	handler := api(t, func(_ context.Context, _ string, payload []byte) (string, string, error) {
		var event events.APIGatewayV2HTTPRequest
		err := json.Unmarshal(payload, &event)
		scopes = event.RequestContext.Authorizer.JWT.Scopes
		return `{"statusCode":200}`, "", err
	}, signer.keys)
	response := ask(handler, "GET", "/scoped", "", "Authorization", signer.token(t, map[string]any{"scope": "other"}))
	if response.StatusCode != http.StatusForbidden || body(t, response) != `{"message":"Forbidden"}` {
		t.Errorf("got %d", response.StatusCode)
	}
	response = ask(handler, "GET", "/scoped", "", "Authorization", signer.token(t, map[string]any{"scope": "other write"}))
	if diff := cmp.Diff([]string{"write"}, scopes); response.StatusCode != http.StatusOK || diff != "" {
		t.Errorf("got %d, scopes (-want +got):\n%s", response.StatusCode, diff)
	}
}
