// Package identity runs the Amazon Cognito identity pools of the templates. A user with
// an ID token of a user pool gets credentials of a role, as the role's trust policy
// allows, with tags from the token's claims. There is no unauthenticated access, no
// classic flow and no provider but user pools.
package identity

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// provider is the name that vouches for a session in the trust policy of its role.
const provider = "cognito-identity.amazonaws.com"

// lifetime is how long the credentials are valid (Amazon Cognito Developer Guide,
// Identity pools authentication flow).
const lifetime = time.Hour

// Pool is an AWS::Cognito::IdentityPool's properties, as far as they matter here.
type Pool struct {
	IdentityPoolName               string
	AllowUnauthenticatedIdentities bool // false
	AllowClassicFlow               bool // false
	CognitoIdentityProviders       []struct {
		ClientId             string
		ProviderName         string
		ServerSideTokenCheck bool // the user must not have been deleted or signed out
	}
}

// Roles is an AWS::Cognito::IdentityPoolRoleAttachment.
type Roles struct {
	IdentityPoolId string
	Roles          map[string]string // authenticated: the ARN of a role
}

// PrincipalTag is an AWS::Cognito::IdentityPoolPrincipalTag.
type PrincipalTag struct {
	IdentityPoolId       string
	IdentityProviderName string
	PrincipalTags        map[string]string // the session's tag: the token's claim
	UseDefaults          bool              // false
}

// Credentials are temporary credentials of a role.
type Credentials struct {
	AccessKeyId  string
	SecretKey    string
	SessionToken string
	Expiration   int64 // seconds since 1970
}

// Config is what the service needs from others.
type Config struct {
	// Claims returns those of a user pool's valid ID token. The error is an *Error of
	// package wire.
	Claims func(token string) (map[string]any, error)
	// SignedIn checks that the user of a token with these claims was neither deleted nor
	// signed out since. The error is an *Error of package wire.
	SignedIn func(claims map[string]any) error
	// Federate checks a role's trust policy.
	Federate func(roleARN, provider string, keys map[string][]string, tags map[string]string) error
	// Session makes credentials of a role with tags.
	Session func(roleARN string, tags map[string]string, lifetime time.Duration) Credentials
}

// Service runs identity pools. It is safe for concurrent use.
type Service struct {
	Config
	handler http.Handler

	mu    sync.RWMutex
	pools map[string]*pool // by id
}

type pool struct {
	Pool
	role string                       // of authenticated users; empty if there is none
	tags map[string]map[string]string // by provider
}

// New returns a service without pools.
func New(c Config) *Service {
	s := &Service{Config: c, pools: map[string]*pool{}}
	s.handler = wire.JSON("1.1", map[string]wire.Operation{
		"GetId":                     wire.Op(s.getID),
		"GetCredentialsForIdentity": wire.Op(s.getCredentials),
	})
	return s
}

// Unsigned returns the service if an unsigned request is one of its operations, and nil
// otherwise.
func (s *Service) Unsigned(r *http.Request) http.Handler {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityService.") {
		return s
	}
	return nil
}

// ServeHTTP answers a call of Amazon Cognito Federated Identities.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// AddPool adds an identity pool.
func (s *Service) AddPool(id string, p Pool) error {
	switch {
	case p.AllowUnauthenticatedIdentities:
		return wire.UnsupportedProperty("AllowUnauthenticatedIdentities", true)
	case p.AllowClassicFlow:
		return wire.UnsupportedProperty("AllowClassicFlow", true)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools[id] = &pool{Pool: p, tags: map[string]map[string]string{}}
	return nil
}

// AttachRoles says which role a pool's users get.
func (s *Service) AttachRoles(r Roles) error {
	for kind := range r.Roles {
		if kind != "authenticated" {
			return wire.UnsupportedProperty("Roles", kind)
		}
	}
	return s.change(r.IdentityPoolId, func(p *pool) { p.role = r.Roles["authenticated"] })
}

// MapTags says which claims become tags of a session.
func (s *Service) MapTags(t PrincipalTag) error {
	if t.UseDefaults {
		return wire.UnsupportedProperty("UseDefaults", true)
	}
	return s.change(t.IdentityPoolId, func(p *pool) { p.tags[t.IdentityProviderName] = t.PrincipalTags })
}

func (s *Service) change(id string, change func(*pool)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.pools[id]
	if !known {
		return noPool(id)
	}
	change(p)
	return nil
}

func noPool(id string) error {
	return wire.Errorf("ResourceNotFoundException", "IdentityPool '%s' not found.", id)
}

type getIDInput struct {
	AccountId      string
	IdentityPoolId string
	Logins         map[string]string // provider: token
}

type getIDOutput struct{ IdentityId string }

// getID returns the same identity for a user at every call.
func (s *Service) getID(_ context.Context, in *getIDInput) (*getIDOutput, error) {
	user, err := s.authenticate(in.IdentityPoolId, in.Logins)
	if err != nil {
		return nil, err
	}
	return &getIDOutput{user.identity}, nil
}

type getCredentialsInput struct {
	IdentityId    string
	Logins        map[string]string
	CustomRoleArn string
}

type getCredentialsOutput struct {
	IdentityId  string
	Credentials Credentials
}

func (s *Service) getCredentials(_ context.Context, in *getCredentialsInput) (*getCredentialsOutput, error) {
	if in.CustomRoleArn != "" {
		return nil, wire.Unsupported("CustomRoleArn")
	}
	user, err := s.owner(in.IdentityId, in.Logins)
	if err != nil {
		return nil, err
	}
	if user.pool.role == "" {
		return nil, wire.Errorf("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	tags := user.tags()
	keys := map[string][]string{
		provider + ":aud": {user.poolID}, provider + ":sub": {user.identity}, provider + ":amr": {"authenticated", user.provider},
	}
	if err := s.Federate(user.pool.role, provider, keys, tags); err != nil {
		return nil, wire.Errorf("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	return &getCredentialsOutput{user.identity, s.Session(user.pool.role, tags, lifetime)}, nil
}

// owner finds the pool that knows the login's identity.
func (s *Service) owner(identity string, logins map[string]string) (*user, error) {
	s.mu.RLock()
	ids := make([]string, 0, len(s.pools))
	for id := range s.pools {
		ids = append(ids, id)
	}
	s.mu.RUnlock()
	slices.Sort(ids)
	var failure error
	for _, id := range ids {
		user, err := s.authenticate(id, logins)
		if err == nil && user.identity == identity {
			return user, nil
		}
		failure = cmp.Or(failure, err)
	}
	if failure != nil {
		return nil, failure
	}
	return nil, wire.Errorf("ResourceNotFoundException", "Identity '%s' not found.", identity)
}

// user is somebody with a valid token.
type user struct {
	pool     *pool
	poolID   string
	identity string
	provider string
	claims   map[string]any
}

func (s *Service) authenticate(poolID string, logins map[string]string) (*user, error) {
	s.mu.RLock()
	p, known := s.pools[poolID]
	s.mu.RUnlock()
	switch {
	case !known:
		return nil, noPool(poolID)
	case len(logins) == 0:
		return nil, wire.Errorf("NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.")
	case len(logins) > 1:
		return nil, wire.Unsupported("a second login")
	}
	for name, token := range logins {
		claims, err := s.Claims(token)
		if err != nil {
			return nil, err
		}
		issuer, _ := claims["iss"].(string)
		audience := audiences(claims["aud"])
		for _, trusted := range p.CognitoIdentityProviders {
			if trusted.ProviderName == name && issuer == "https://"+name && slices.Contains(audience, trusted.ClientId) {
				if trusted.ServerSideTokenCheck {
					if err := s.SignedIn(claims); err != nil {
						return nil, err
					}
				}
				subject, _ := claims["sub"].(string)
				id := wire.Region + ":" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(poolID+" "+issuer+" "+subject)).String()
				return &user{p, poolID, id, name, claims}, nil
			}
		}
	}
	return nil, wire.Errorf("NotAuthorizedException", "Invalid login token. Not from a supported provider of this identity pool.")
}

// audiences returns those of a token, which may name one or several.
func audiences(claim any) (all []string) {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		for _, each := range claim {
			if text, is := each.(string); is {
				all = append(all, text)
			}
		}
	}
	return all
}

// tags returns the session's tags, from the token's claims.
func (u *user) tags() map[string]string {
	tags := map[string]string{}
	for tag, claim := range u.pool.tags[u.provider] {
		if value, is := u.claims[claim].(string); is && strings.TrimSpace(value) != "" {
			tags[tag] = value
		}
	}
	return tags
}
