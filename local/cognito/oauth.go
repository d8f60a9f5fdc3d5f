package cognito

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// adminScope lets an access token read and change its own user.
const adminScope = "aws.cognito.signin.user.admin"

// UserPoolDomain has the properties of AWS::Cognito::UserPoolDomain that are run here:
// the pool's sign-in pages and token endpoint. They are below /<pool id> instead of in a
// domain of their own.
type UserPoolDomain struct {
	Domain, UserPoolId string
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (d *UserPoolDomain) UnmarshalJSON(text []byte) error {
	type properties UserPoolDomain
	return wire.Properties(text, (*properties)(d))
}

// UserPoolResourceServer has the properties of AWS::Cognito::UserPoolResourceServer: the
// scopes of an API.
type UserPoolResourceServer struct {
	Identifier, Name, UserPoolId string
	Scopes                       []struct{ ScopeName string }
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (r *UserPoolResourceServer) UnmarshalJSON(text []byte) error {
	type properties UserPoolResourceServer
	return wire.Properties(text, (*properties)(r), r.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*UserPoolResourceServer) Ignored() wire.Ignored {
	return wire.Ignored{"Scopes.ScopeDescription": "it is for people who read the template"}
}

// AddUserPoolDomain opens the sign-in pages and the token endpoint of a pool, which must
// be known.
func (s *Service) AddUserPoolDomain(d UserPoolDomain) error {
	return s.withPool(d.UserPoolId, func(p *pool) { p.domain = d.Domain })
}

// AddUserPoolResourceServer makes the scopes of an API known. It must be called before
// clients that may ask for them are added.
func (s *Service) AddUserPoolResourceServer(r UserPoolResourceServer) error {
	return s.withPool(r.UserPoolId, func(p *pool) {
		for _, scope := range r.Scopes {
			p.scopes = append(p.scopes, r.Identifier+"/"+scope.ScopeName)
		}
	})
}

// DomainAddress returns the address at which AWS would serve the pages of the pool with
// that domain. Here, they are below /<pool id>.
func DomainAddress(domain string) string {
	return "https://" + domain + ".auth." + wire.Region + ".amazoncognito.com"
}

func (s *Service) withPool(id string, change func(*pool)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.pools[id]
	if !known {
		return noPool(id)
	}
	change(p)
	return nil
}

// oauthError is a refusal by the token endpoint, in the words of RFC 6749, 5.2.
type oauthError struct {
	status int
	code   string
}

func (e *oauthError) Error() string { return e.code }

func refuse(code string) error { return &oauthError{http.StatusBadRequest, code} }

// oauthTokens is what the token endpoint answers (Amazon Cognito Developer Guide, "The
// token issuer endpoint").
type oauthTokens struct {
	IDToken      string `json:"id_token,omitempty"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	TokenType    string `json:"token_type"`
}

// maxForm is how many bytes of a form the endpoints read at most.
const maxForm = 64 << 10

// serveToken is POST /oauth2/token.
func (s *Service) serveToken(w http.ResponseWriter, r *http.Request, p *pool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		wire.WriteJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "invalid_request"})
		return
	}
	granted, err := s.token(w, r, p)
	var refused *oauthError
	switch {
	case err == nil:
		wire.WriteJSON(w, http.StatusOK, granted)
	case errors.As(err, &refused):
		wire.WriteJSON(w, refused.status, map[string]string{"error": refused.code})
	default:
		wire.WriteJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
	}
}

func (s *Service) token(w http.ResponseWriter, r *http.Request, p *pool) (*oauthTokens, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, refuse("invalid_request")
	}
	c, err := s.authenticate(r, p)
	if err != nil {
		return nil, err
	}
	form := r.PostForm
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
		return c.machineToken(form.Get("scope"))
	case "authorization_code":
		return s.redeem(c, form)
	case "refresh_token":
		return s.refreshed(c, form.Get("refresh_token"))
	case "":
		return nil, refuse("invalid_request")
	default:
		return nil, refuse("unsupported_grant_type")
	}
}

// authenticate finds the client of a request. A client with a secret proves that it knows
// it, in the Authorization header or in the form. A client without a secret proves
// nothing.
func (s *Service) authenticate(r *http.Request, p *pool) (*client, error) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, basic := r.BasicAuth(); basic {
		if id != "" && id != user || secret != "" {
			return nil, refuse("invalid_request")
		}
		id, secret = user, password
	}
	c, err := s.client(id)
	if err != nil || c.pool != p || subtle.ConstantTimeCompare([]byte(secret), []byte(c.secret())) != 1 {
		return nil, refuse("invalid_client")
	}
	if !c.AllowedOAuthFlowsUserPoolClient {
		return nil, refuse("unauthorized_client")
	}
	return c, nil
}

// secret returns the client's secret, which depends on its pool's key and its own id;
// empty if it has none.
func (c *client) secret() string {
	if !c.GenerateSecret {
		return ""
	}
	mac := hmac.New(sha256.New, c.pool.keys.secret)
	_, _ = mac.Write([]byte("client secret of " + c.id)) // a hash never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))
}

// machineToken returns the access token of a client that acts for itself. It has the
// scopes asked for or, if none is named, all of the client's.
func (c *client) machineToken(asked string) (*oauthTokens, error) {
	if !slices.Contains(c.AllowedOAuthFlows, "client_credentials") {
		return nil, refuse("unauthorized_client")
	}
	scopes := strings.Fields(asked)
	if len(scopes) == 0 {
		scopes = c.AllowedOAuthScopes
	}
	// Without a user, users' scopes mean nothing.
	for _, scope := range scopes {
		if !c.mayAsk(scope) || !slices.Contains(c.pool.scopes, scope) {
			return nil, refuse("invalid_scope")
		}
	}
	now := time.Now()
	life := validity(c.AccessTokenValidity, c.TokenValidityUnits.AccessToken, time.Hour, time.Hour)
	token, err := c.pool.keys.sign(map[string]any{
		"sub": c.id, "client_id": c.id, "iss": c.pool.issuer(), "token_use": "access", "scope": strings.Join(scopes, " "),
		"auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(life).Unix(), "version": 2, "jti": uuid.NewString(),
	})
	if err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	return &oauthTokens{AccessToken: token, ExpiresIn: int(life.Seconds()), TokenType: "Bearer"}, nil
}

// mayAsk reports whether the client may have a scope.
func (c *client) mayAsk(scope string) bool { return slices.Contains(c.AllowedOAuthScopes, scope) }

// refreshed answers the grant refresh_token: new tokens of the same scopes.
func (s *Service) refreshed(c *client, token string) (*oauthTokens, error) {
	answered, err := s.renew(c, token)
	var refused *wire.Error
	if errors.As(err, &refused) {
		return nil, refuse("invalid_grant")
	}
	if err != nil {
		return nil, err
	}
	return answered.AuthenticationResult.oauth(), nil
}

func (t *tokens) oauth() *oauthTokens {
	return &oauthTokens{IDToken: t.IdToken, AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, ExpiresIn: t.ExpiresIn, TokenType: t.TokenType}
}

// shows reports whether the scopes of a sign-in let an attribute into the ID token. With
// openid and no other scope of OpenID Connect, and with profile, it is every attribute
// that the client may read. With email or phone it is only theirs (Amazon Cognito
// Developer Guide, "Scopes, M2M, and resource servers"). A sign-in with the API has no
// such scopes, and shows everything.
func shows(scopes []string, attribute string) bool {
	narrow := map[string][]string{"email": {"email", "email_verified"}, "phone": {"phone_number", "phone_number_verified"}}
	narrowed := false
	for _, scope := range scopes {
		if scope == "profile" {
			return true
		}
		if names, is := narrow[scope]; is {
			if slices.Contains(names, attribute) {
				return true
			}
			narrowed = true
		}
	}
	return !narrowed
}

// withQuery adds parameters to those that an address has.
func withQuery(address string, more url.Values) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // it was registered, and compared
	}
	query := u.Query()
	for name, values := range more {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String()
}
