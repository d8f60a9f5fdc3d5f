package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestTheStacksSignInURLLeadsToTheTokenEndpoint(t *testing.T) {
	l := start(t)
	address := l.output(t, "SignInUrl") + "/oauth2/token"
	if !strings.HasPrefix(address, l.URL()+"/") {
		t.Fatalf("%s is not on this machine", address)
	}
	response, err := http.PostForm(address, url.Values{"grant_type": {"client_credentials"}, "client_id": {"nobody"}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Error string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Error != "invalid_client" {
		t.Errorf("got %d, %+v, %v", response.StatusCode, answer, err)
	}
}
