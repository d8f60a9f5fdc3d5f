package e2e_test

import (
	"encoding/json"
	"io"
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

// TestTheConsoleIsServedAndKnowsItsSignInPages follows what a browser does before a
// person types a password: it loads the page and its settings, and goes to the sign-in
// page, which must be on this machine and lead back.
func TestTheConsoleIsServedAndKnowsItsSignInPages(t *testing.T) {
	l := start(t)
	page := l.output(t, "ConsoleUrl")
	if page != l.URL()+"/console" {
		t.Fatalf("the console is at %s", page)
	}
	var settings struct {
		ClientID string `json:"client_id"`
		SignIn   string `json:"sign_in"`
	}
	if err := json.Unmarshal(fetch(t, page+"/config.json", http.StatusOK), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.SignIn != l.output(t, "SignInUrl") || settings.ClientID != l.output(t, "ConsoleClientId") {
		t.Errorf("the settings are %+v", settings)
	}
	if !strings.Contains(string(fetch(t, page, http.StatusOK)), `src="/console/main.js"`) {
		t.Error("the page loads no script")
	}
	query := url.Values{"response_type": {"code"}, "client_id": {settings.ClientID}, "redirect_uri": {page}, "scope": {"openid"},
		"code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"}}
	if !strings.Contains(string(fetch(t, settings.SignIn+"/oauth2/authorize?"+query.Encode(), http.StatusOK)), "Password") {
		t.Error("the sign-in page asks for no password")
	}
	query = url.Values{"client_id": {settings.ClientID}, "logout_uri": {page}}
	if !strings.Contains(string(fetch(t, settings.SignIn+"/logout?"+query.Encode(), http.StatusOK)), "main.js") {
		t.Error("signing out does not lead back")
	}
	fetch(t, page+"/none.js", http.StatusNotFound)
}

// fetch gets a page and checks the status with which it is answered in the end.
func fetch(t *testing.T, address string, status int) []byte {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s: %d, %v: %s", address, response.StatusCode, err, body)
	}
	return body
}
