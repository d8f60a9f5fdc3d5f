package cognito_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"hl7lake/local/cognito"
)

const (
	pageClient    = "pagespagespagespagespagesp"
	machineClient = "machinemachinemachinemachi"
	callback      = "http://localhost:8400/callback"
)

// withPages opens the pages of the pool to a client whose users may ask for scopes, and
// to a machine.
func withPages(t *testing.T, scopes string) rig {
	t.Helper()
	r := started(t)
	if err := r.service.AddUserPoolDomain(cognito.UserPoolDomain{Domain: "d", UserPoolId: poolID}); err != nil {
		t.Fatal(err)
	}
	var server cognito.UserPoolResourceServer
	if err := json.Unmarshal([]byte(`{"UserPoolId":"`+poolID+`","Identifier":"lake","Scopes":[{"ScopeName":"write.a"},{"ScopeName":"write.b"}]}`), &server); err != nil {
		t.Fatal(err)
	}
	if err := r.service.AddUserPoolResourceServer(server); err != nil {
		t.Fatal(err)
	}
	for id, text := range map[string]string{
		pageClient: `{"UserPoolId":"` + poolID + `","AllowedOAuthFlowsUserPoolClient":true,"AllowedOAuthFlows":["code"],"AllowedOAuthScopes":` + scopes + `,
			"CallbackURLs":["` + callback + `"],"LogoutURLs":["http://localhost:8400/"],"ReadAttributes":["custom:read","email"],"ExplicitAuthFlows":["ALLOW_REFRESH_TOKEN_AUTH"]}`,
		machineClient: `{"UserPoolId":"` + poolID + `","AllowedOAuthFlowsUserPoolClient":true,"AllowedOAuthFlows":["client_credentials"],"AllowedOAuthScopes":["lake/write.a"],"GenerateSecret":true}`,
	} {
		var c cognito.UserPoolClient
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if err := r.service.AddUserPoolClient(id, c); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// token posts a form to the token endpoint, as the client if it has a secret.
func (r rig) token(t *testing.T, form url.Values, user, secret string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", r.server.URL+"/"+poolID+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		request.SetBasicAuth(user, secret)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// claimsOf verifies a token with the pool's keys.
func (r rig) claimsOf(t *testing.T, token any) (claims map[string]any) {
	t.Helper()
	text, _ := token.(string)
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := r.service.Keys(issuer)
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestClientsAreListedAndDescribedByTheirOwnPoolOnly(t *testing.T) {
	r := withPages(t, `["openid"]`)
	const other = "us-east-1_OTHERPOOL"
	if err := r.service.AddUserPool(other, cognito.UserPool{}); err != nil {
		t.Fatal(err)
	}
	_, err := r.DescribeUserPoolClient(t.Context(), &cip.DescribeUserPoolClientInput{UserPoolId: aws.String(other), ClientId: aws.String(machineClient)})
	if problem, refused := errors.AsType[smithy.APIError](err); !refused || problem.ErrorCode() != "ResourceNotFoundException" {
		t.Errorf("a client of another pool: %v", err)
	}
	for pool, want := range map[string]int{poolID: 3, other: 0} {
		listed := 0
		pages := cip.NewListUserPoolClientsPaginator(r, &cip.ListUserPoolClientsInput{UserPoolId: &pool, MaxResults: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			listed += len(page.UserPoolClients)
		}
		if listed != want {
			t.Errorf("%s: %d clients, want %d", pool, listed, want)
		}
	}
}

func TestAMachineGetsTheScopesOfItsClientOnly(t *testing.T) {
	r := withPages(t, `["openid"]`)
	described, err := r.DescribeUserPoolClient(t.Context(), &cip.DescribeUserPoolClientInput{UserPoolId: aws.String(poolID), ClientId: aws.String(machineClient)})
	if err != nil {
		t.Fatal(err)
	}
	secret := *described.UserPoolClient.ClientSecret
	grant := func(scope string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	}
	for _, scope := range []string{"", "lake/write.a"} {
		got := r.claimsOf(t, r.token(t, grant(scope), machineClient, secret)["access_token"])
		if got["scope"] != "lake/write.a" || got["client_id"] != machineClient || got["token_use"] != "access" {
			t.Errorf("scope %q: got %v", scope, got)
		}
	}
	inBody := grant("")
	inBody.Set("client_id", machineClient)
	inBody.Set("client_secret", secret)
	if got := r.token(t, inBody, "", ""); got["access_token"] == nil {
		t.Errorf("a secret in the form: got %v", got)
	}
	for want, got := range map[string]map[string]any{
		"invalid_scope":          r.token(t, grant("lake/write.b"), machineClient, secret),
		"invalid_client":         r.token(t, grant(""), machineClient, "wrong"),
		"unauthorized_client":    r.token(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {pageClient}}, "", ""),
		"unsupported_grant_type": r.token(t, url.Values{"grant_type": {"password"}}, machineClient, secret),
	} {
		if got["error"] != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

// code signs a user in with the pages, and returns what the client's address receives.
func (r rig) code(t *testing.T, password, scope, challenge string) (url.Values, string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(to.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	query := url.Values{"client_id": {pageClient}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope},
		"state": {"s"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	page, err := browser.Get(r.server.URL + "/" + poolID + "/oauth2/authorize?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if location := page.Header.Get("Location"); location != "" {
		to, _ := url.Parse(location)
		return to.Query(), ""
	}
	text, _ := io.ReadAll(page.Body)
	csrf := regexp.MustCompile(`name="_csrf" value="([^"]+)"`).FindSubmatch(text)
	if csrf == nil {
		t.Fatalf("no form in %s", text)
	}
	forged, err := browser.PostForm(page.Request.URL.String(), url.Values{"_csrf": {"x"}, "username": {email}, "password": {password}})
	if err != nil || forged.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: got %v, %v", forged, err)
	}
	answer, err := browser.PostForm(page.Request.URL.String(), url.Values{"_csrf": {string(csrf[1])}, "username": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ = io.ReadAll(answer.Body)
	to, _ := url.Parse(answer.Header.Get("Location"))
	return to.Query(), string(text)
}

func TestTheScopesOfASignInDecideWhatTheIDTokenShows(t *testing.T) {
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	r := withPages(t, `["openid","email","profile"]`)
	r.create(t, email, attribute("custom:read", "a"), attribute("name", "Ada"))
	r.setPassword(t, email, good)
	for scope, shown := range map[string]bool{"openid": true, "openid email": false, "openid profile": true, "openid email profile": true} {
		got, _ := r.code(t, good, scope, challenge)
		if got.Get("state") != "s" {
			t.Fatalf("%s: got %v", scope, got)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {pageClient}, "redirect_uri": {callback},
			"code": {got.Get("code")}, "code_verifier": {verifier}}
		granted := r.token(t, form, "", "")
		for range 2 { // as signed in, then as refreshed
			claims := r.claimsOf(t, granted["id_token"])
			if (claims["custom:read"] == "a") != shown || claims["name"] != nil || claims["email"] != email {
				t.Errorf("%s: got %v", scope, claims)
			}
			if scopes := r.claimsOf(t, granted["access_token"])["scope"]; scopes != scope {
				t.Errorf("got the scopes %v, want %s", scopes, scope)
			}
			refresh := granted["refresh_token"]
			if refresh != nil {
				granted = r.token(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {pageClient}, "refresh_token": {refresh.(string)}}, "", "")
			}
		}
		if again := r.token(t, form, "", ""); again["error"] != "invalid_grant" {
			t.Errorf("a code used twice: got %v", again)
		}
	}
	for name, value := range map[string]string{"code_verifier": strings.Repeat("w", 43), "redirect_uri": "http://localhost:8400/other", "code": "x"} {
		got, _ := r.code(t, good, "openid", challenge)
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {pageClient}, "redirect_uri": {callback},
			"code": {got.Get("code")}, "code_verifier": {verifier}}
		form.Set(name, value)
		if answer := r.token(t, form, "", ""); answer["error"] != "invalid_grant" {
			t.Errorf("a wrong %s: got %v", name, answer)
		}
	}
	if got, text := r.code(t, "wrong", "openid", challenge); got.Get("code") != "" || !strings.Contains(text, `role="alert"`) {
		t.Errorf("a wrong password: got %v, %s", got, text)
	}
	if got, _ := r.code(t, good, "openid phone", challenge); got.Get("error") != "invalid_scope" {
		t.Errorf("a scope that is not allowed: got %v", got)
	}
}

func TestAUserChangesWhatTheClientMayWrite(t *testing.T) {
	r := started(t)
	sub := *r.create(t, email, attribute("custom:read", "a")).Username
	r.setPassword(t, email, good)
	signedIn, err := r.signIn(t.Context(), email, good)
	if err != nil {
		t.Fatal(err)
	}
	update := func(a types.AttributeType) error {
		_, err := r.UpdateUserAttributes(t.Context(), &cip.UpdateUserAttributesInput{
			AccessToken: signedIn.AuthenticationResult.AccessToken, UserAttributes: []types.AttributeType{a}})
		return err
	}
	if got := refusal(update(attribute("custom:read", "b"))); got != "NotAuthorizedException: A client attempted to write unauthorized attribute" {
		t.Errorf("got %s", got)
	}
	if err := update(attribute("name", "Ada")); err != nil {
		t.Fatal(err)
	}
	if got := r.attributes(t, sub); got["custom:read"] != "a" || got["name"] != "Ada" {
		t.Errorf("got %v", got)
	}
	me, err := r.GetUser(t.Context(), &cip.GetUserInput{AccessToken: signedIn.AuthenticationResult.AccessToken})
	if err != nil || *me.Username != sub {
		t.Errorf("got %v, %v", me, err)
	}
}

func TestLoggingOutLeadsToAnAddressOfTheClientOnly(t *testing.T) {
	r := withPages(t, `["openid"]`)
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for name, test := range map[string]struct {
		client, address string
		status          int
	}{
		"registered":         {pageClient, "http://localhost:8400/", http.StatusFound},
		"of nobody":          {pageClient, "http://elsewhere.example/", http.StatusBadRequest},
		"longer":             {pageClient, "http://localhost:8400/more", http.StatusBadRequest},
		"none":               {pageClient, "", http.StatusBadRequest},
		"of another client":  {machineClient, "http://localhost:8400/", http.StatusBadRequest},
		"of no known client": {"nobody", "http://localhost:8400/", http.StatusBadRequest},
	} {
		query := url.Values{"client_id": {test.client}, "logout_uri": {test.address}}
		response, err := browser.Get(r.server.URL + "/" + poolID + "/logout?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if to := response.Header.Get("Location"); response.StatusCode != test.status || to != "" && to != test.address {
			t.Errorf("%s: %d to %q", name, response.StatusCode, to)
		}
	}
}
