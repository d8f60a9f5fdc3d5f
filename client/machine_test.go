package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// connectionTo returns a connection whose token endpoint is answered by a handler.
func connectionTo(t *testing.T, handle http.HandlerFunc) Connection {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return Connection{Outputs: Outputs{"stack": {OutputSignIn: server.URL + "/pool"}}}
}

func TestAMachineAsksForATokenAndKeepsItUntilItEnds(t *testing.T) {
	asked, lifetime := 0, 3600
	c := connectionTo(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		id, secret, _ := r.BasicAuth()
		if r.URL.Path != "/pool/oauth2/token" || r.FormValue("grant_type") != "client_credentials" || id != "1a2b" || secret != "s%2Fcret" {
			t.Errorf("asked %s as %s with %v", r.URL.Path, id, r.Form)
		}
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":%d,"token_type":"Bearer"}`, asked, lifetime)
	})
	tokens, err := c.Machine("1a2b", "s/cret")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if token, err := tokens(t.Context()); err != nil || token != "token-1" {
			t.Errorf("%q, %v", token, err)
		}
	}
	lifetime = 30 // less than tokenMargin
	short, err := c.Machine("1a2b", "s/cret")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"token-2", "token-3"} {
		if token, err := short(t.Context()); err != nil || token != want {
			t.Errorf("%q, %v, want %s", token, err, want)
		}
	}
}

func TestAMachineIsToldWhyItGetsNoToken(t *testing.T) {
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   string
	}{
		"a wrong secret": {answering(401, `{"error":"invalid_client"}`), "sign in as 1a2b: unknown client or wrong secret"},
		"no scope":       {answering(400, `{"error":"invalid_grant"}`), "answers 400 without a token"},
		"no JSON":        {answering(502, `<html>`), "answers 502 without a token"},
	} {
		tokens, err := connectionTo(t, test.handle).Machine("1a2b", "secret")
		if err != nil {
			t.Fatal(err)
		}
		_, err = tokens(t.Context())
		if _, ok := errors.AsType[*SignInError](err); !ok || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%s: %v", name, err)
		}
	}
	tokens, err := connectionTo(t, lost).Machine("1a2b", "secret")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tokens(t.Context())
	if _, ok := errors.AsType[*UnreachableError](err); !ok {
		t.Errorf("no answer: %v", err)
	}
}
