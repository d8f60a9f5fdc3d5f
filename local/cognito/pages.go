package cognito

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"hl7lake/local/wire"
)

// codeLife is how long an authorization code can be redeemed (Amazon Cognito Developer
// Guide, "Authorize endpoint").
const codeLife = 5 * time.Minute

// csrfCookie holds a value that the form of the login page must repeat, so that no other
// site can send it.
const csrfCookie = "XSRF-TOKEN"

// codes are the authorization codes that can still be redeemed.
type codes struct {
	mu      sync.Mutex
	waiting map[string]code
}

// code is what a code stands for.
type code struct {
	client, sub, redirect, challenge string
	scopes                           []string
	expires                          time.Time
}

// add stores a code and drops those that have expired.
func (c *codes) add(what code) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, other := range c.waiting {
		if !time.Now().Before(other.expires) {
			delete(c.waiting, key)
		}
	}
	if c.waiting == nil {
		c.waiting = map[string]code{}
	}
	key := rand.Text()
	c.waiting[key] = what
	return key
}

// take returns a code's meaning once. A second caller gets nothing, whatever the first
// one did with it.
func (c *codes) take(key string) (code, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what, there := c.waiting[key]
	delete(c.waiting, key)
	return what, there && time.Now().Before(what.expires)
}

// request is an authorization request that names a client, one of its redirect addresses,
// and what the client may ask for.
type request struct {
	client   *client
	redirect string
	scopes   []string
	query    url.Values
}

// authorization reads an authorization request. If the client or the redirect address is
// wrong, problem is for the person: nothing is sent to an address that is not registered.
// Any other fault is an error code for the redirect.
func (s *Service) authorization(p *pool, query url.Values) (a *request, fault, problem string) {
	c, err := s.client(query.Get("client_id"))
	if err != nil || c.pool != p {
		return nil, "", "Client does not exist."
	}
	a = &request{client: c, redirect: query.Get("redirect_uri"), query: query, scopes: strings.Fields(query.Get("scope"))}
	if !slices.Contains(c.CallbackURLs, a.redirect) {
		return nil, "", "The address to return to is not one of the client's."
	}
	if len(a.scopes) == 0 {
		a.scopes = c.AllowedOAuthScopes
	}
	openid := slices.Contains(a.scopes, "openid")
	for _, scope := range a.scopes {
		needsOpenID := slices.Contains([]string{"email", "phone", "profile"}, scope)
		if !c.mayAsk(scope) || needsOpenID && !openid {
			fault = "invalid_scope"
		}
	}
	challenge := query.Get("code_challenge")
	switch {
	case !c.AllowedOAuthFlowsUserPoolClient || !slices.Contains(c.AllowedOAuthFlows, "code"):
		fault = "unauthorized_client"
	case query.Get("response_type") != "code":
		fault = "unsupported_response_type"
	// Cognito supports S256 only. Without a challenge there is no PKCE.
	case challenge != "" && (query.Get("code_challenge_method") != "S256" || !verifier().MatchString(challenge)):
		fault = "invalid_request"
	}
	return a, fault, ""
}

// verifier is the form of RFC 7636's code_verifier and code_challenge.
func verifier() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`) }

// answer sends the browser back to the client.
func (a *request) answer(w http.ResponseWriter, r *http.Request, name, value string) {
	more := url.Values{name: {value}}
	if state := a.query.Get("state"); state != "" {
		more.Set("state", state)
	}
	http.Redirect(w, r, withQuery(a.redirect, more), http.StatusFound)
}

// servePages serves what lies below /<pool id>.
func (s *Service) servePages(w http.ResponseWriter, r *http.Request, p *pool, page string) {
	secure(w)
	switch {
	case p.domain == "":
		http.NotFound(w, r)
	case page == "oauth2/token":
		s.serveToken(w, r, p)
	case page == "oauth2/authorize" && r.Method == http.MethodGet:
		s.serveAuthorize(w, r, p)
	case page == "login" && r.Method == http.MethodGet:
		s.serveLogin(w, r, p, "")
	case page == "login" && r.Method == http.MethodPost:
		s.takeLogin(w, r, p)
	case page == "logout" && r.Method == http.MethodGet:
		s.serveLogout(w, r, p)
	default:
		http.NotFound(w, r)
	}
}

// secure keeps a page from being framed, scripted or stored.
func secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// serveAuthorize checks a request and sends the browser to the login page with it. No
// session is kept: everybody signs in each time.
func (s *Service) serveAuthorize(w http.ResponseWriter, r *http.Request, p *pool) {
	a, fault, problem := s.authorization(p, r.URL.Query())
	switch {
	case problem != "":
		http.Error(w, problem, http.StatusBadRequest)
	case fault != "":
		a.answer(w, r, "error", fault)
	default:
		http.Redirect(w, r, "/"+p.id+"/login?"+r.URL.RawQuery, http.StatusFound)
	}
}

var loginPage = template.Must(template.New("login").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 sans-serif;max-width:22rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit;width:100%;box-sizing:border-box;margin-bottom:1rem;padding:.4rem}</style>
</head><body><main><h1>Sign in</h1>{{with .Problem}}<p role="alert">{{.}}</p>{{end}}
<form method="post"><input type="hidden" name="_csrf" value="{{.Token}}">
<label>User<input name="username" value="{{.User}}" autocomplete="username" required></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form></main></body></html>
`))

// serveLogin shows the form, with what was wrong about the last try, if any.
func (s *Service) serveLogin(w http.ResponseWriter, r *http.Request, p *pool, wrong string) {
	a, fault, problem := s.authorization(p, r.URL.Query())
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	if fault != "" {
		a.answer(w, r, "error", fault)
		return
	}
	token := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: csrfCookie, Value: token, Path: "/" + p.id, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnauthorized
	}
	w.WriteHeader(status)
	_ = loginPage.Execute(w, struct{ Problem, Token, User string }{wrong, token, r.PostForm.Get("username")}) // the client has gone
}

// takeLogin checks the form and gives the client a code.
func (s *Service) takeLogin(w http.ResponseWriter, r *http.Request, p *pool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	a, fault, problem := s.authorization(p, r.URL.Query())
	cookie, err := r.Cookie(csrfCookie)
	if err != nil || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(r.PostForm.Get("_csrf"))) != 1 {
		http.Error(w, "The form is not from this page: load the page again.", http.StatusForbidden)
		return
	}
	if problem != "" || fault != "" {
		s.serveLogin(w, r, p, "")
		return
	}
	u, err := s.checkPassword(a.client, r.PostForm.Get("username"), r.PostForm.Get("password"))
	if err != nil {
		s.serveLogin(w, r, p, wire.AsError(err).Message)
		return
	}
	if u.Status == forceChange {
		s.serveLogin(w, r, p, "The password is temporary: set one of your own first.")
		return
	}
	key := s.codes.add(code{client: a.client.id, sub: u.Sub, redirect: a.redirect, scopes: a.scopes,
		challenge: a.query.Get("code_challenge"), expires: time.Now().Add(codeLife)})
	a.answer(w, r, "code", key)
}

// redeem answers the grant authorization_code.
func (s *Service) redeem(c *client, form url.Values) (*oauthTokens, error) {
	if !slices.Contains(c.AllowedOAuthFlows, "code") {
		return nil, refuse("unauthorized_client")
	}
	what, there := s.codes.take(form.Get("code"))
	if !there || what.client != c.id || what.redirect != form.Get("redirect_uri") || !what.verified(form.Get("code_verifier")) {
		return nil, refuse("invalid_grant")
	}
	u, err := s.find(c.pool, what.sub)
	if err != nil || u.Disabled {
		return nil, refuse("invalid_grant")
	}
	granted, err := s.grant(c, u, what.scopes)
	if err != nil {
		return nil, err
	}
	tokens := granted.AuthenticationResult.oauth()
	if !slices.Contains(what.scopes, "openid") {
		tokens.IDToken = ""
	}
	return tokens, nil
}

// verified reports whether the client knows the verifier of the challenge (RFC 7636,
// 4.6).
func (c code) verified(given string) bool {
	if c.challenge == "" {
		return given == ""
	}
	sum := sha256.Sum256([]byte(given))
	return verifier().MatchString(given) &&
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(c.challenge)) == 1
}

// serveLogout sends the browser to one of the client's own addresses (Amazon Cognito
// Developer Guide, "Logout endpoint").
func (s *Service) serveLogout(w http.ResponseWriter, r *http.Request, p *pool) {
	query := r.URL.Query()
	c, err := s.client(query.Get("client_id"))
	if target := query.Get("logout_uri"); err == nil && c.pool == p && slices.Contains(c.LogoutURLs, target) {
		http.Redirect(w, r, target, http.StatusFound)
		return
	}
	http.Error(w, "The client or the address to go to is not known.", http.StatusBadRequest)
}
