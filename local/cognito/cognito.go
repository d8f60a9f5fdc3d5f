// Package cognito runs the user pools of the templates. An administrator creates users.
// They sign in with a password over Cognito's own protocol, and get the ID, access and
// refresh tokens that Cognito would give them, signed with the pool's own key. The HTTP
// API's authorizer gets that key from Keys; others find it at /<pool
// id>/.well-known/jwks.json.
//
// A pool with a domain has its sign-in pages and token endpoint below /<pool id>:
// oauth2/authorize, login, logout and oauth2/token.
//
// There is no mail, no SRP, no second factor, and the pages keep no session. A pool or
// client that needs more than is run here is refused when it is added.
package cognito

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// Service keeps user pools. Users and keys are durable in its store.
type Service struct {
	store     *store.Store
	authorize wire.Authorize
	handler   http.Handler

	mu      sync.RWMutex
	pools   map[string]*pool   // by pool id
	clients map[string]*client // by client id

	codes codes
}

// pool is a user pool that can be used.
type pool struct {
	UserPool
	id      string
	keys    keys
	created time.Time
	domain  string   // empty: it has no sign-in pages and no token endpoint
	scopes  []string // of its resource servers
}

// client is an app client of a pool.
type client struct {
	UserPoolClient
	id   string
	pool *pool
}

// New returns a service without pools.
func New(store *store.Store, authorize wire.Authorize) *Service {
	s := &Service{store: store, authorize: authorize, pools: map[string]*pool{}, clients: map[string]*client{}}
	s.handler = wire.JSON("1.1", map[string]wire.Operation{
		"AdminCreateUser":             wire.Op(s.adminCreateUser),
		"AdminSetUserPassword":        wire.Op(s.adminSetUserPassword),
		"AdminUpdateUserAttributes":   wire.Op(s.adminUpdateUserAttributes),
		"AdminDeleteUser":             wire.Op(s.adminDeleteUser),
		"AdminGetUser":                wire.Op(s.adminGetUser),
		"AdminDisableUser":            wire.Op(s.adminDisableUser),
		"AdminEnableUser":             wire.Op(s.adminEnableUser),
		"AdminUserGlobalSignOut":      wire.Op(s.adminUserGlobalSignOut),
		"ListUsers":                   wire.Op(s.listUsers),
		"InitiateAuth":                wire.Op(s.initiateAuth),
		"AdminInitiateAuth":           wire.Op(s.adminInitiateAuth),
		"RespondToAuthChallenge":      wire.Op(s.respondToAuthChallenge),
		"AdminRespondToAuthChallenge": wire.Op(s.adminRespondToAuthChallenge),
		"GetUser":                     wire.Op(s.getUser),
		"UpdateUserAttributes":        wire.Op(s.updateUserAttributes),
		"ListUserPools":               wire.Op(s.listUserPools),
		"ListUserPoolClients":         wire.Op(s.listUserPoolClients),
		"DescribeUserPool":            wire.Op(s.describeUserPool),
		"DescribeUserPoolClient":      wire.Op(s.describeUserPoolClient),
	})
	return s
}

// Unsigned returns the service if an unsigned request is for an operation of Cognito's or
// a path of a pool, and nil otherwise.
func (s *Service) Unsigned(r *http.Request) http.Handler {
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.RLock()
	_, isPool := s.pools[id]
	s.mu.RUnlock()
	if isPool || strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService.") {
		return s
	}
	return nil
}

// ServeHTTP answers the service's operations, requests for a pool's keys and OpenID
// configuration, and those for its sign-in pages and token endpoint.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, page, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.RLock()
	p, known := s.pools[id]
	s.mu.RUnlock()
	if known && !strings.HasPrefix(page, ".well-known/") {
		s.servePages(w, r, p, page)
		return
	}
	if r.Method == http.MethodGet {
		s.serveWellKnown(w, r)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// AddUserPool makes a user pool known by its id (us-east-1_…), and replaces one with the
// same id. Its users and its key are those in the store.
func (s *Service) AddUserPool(id string, properties UserPool) error {
	if err := properties.check(); err != nil {
		return err
	}
	keys, err := s.loadKeys(id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if properties.UserPoolName == "" {
		properties.UserPoolName = id
	}
	s.pools[id] = &pool{UserPool: properties, id: id, keys: keys, created: time.Now()}
	return nil
}

// AddUserPoolClient makes an app client known by its id. Its pool must be known.
func (s *Service) AddUserPoolClient(id string, properties UserPoolClient) error {
	if err := properties.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.pools[properties.UserPoolId]
	if !known {
		return noPool(properties.UserPoolId)
	}
	s.clients[id] = &client{UserPoolClient: properties, id: id, pool: p}
	return nil
}

// Keys returns the public keys that verify the tokens of an issuer, and whether the
// issuer is one of the pools.
func (s *Service) Keys(issuer string) (*jose.JSONWebKeySet, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, known := s.pools[issuer[strings.LastIndex(issuer, "/")+1:]]
	if !known || p.issuer() != issuer {
		return nil, false
	}
	return p.keys.public(), true
}

// issuer returns the iss claim of the pool's tokens.
func (p *pool) issuer() string {
	return "https://cognito-idp." + wire.Region + ".amazonaws.com/" + p.id
}

func (p *pool) arn() string { return wire.ARN("cognito-idp", "userpool/"+p.id) }

// allowed finds a pool for a caller who may perform action on it.
func (s *Service) allowed(ctx context.Context, action, poolID string) (*pool, error) {
	if err := s.authorize(ctx, "cognito-idp:"+action, wire.ARN("cognito-idp", "userpool/"+poolID), nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, known := s.pools[poolID]
	if !known {
		return nil, noPool(poolID)
	}
	return p, nil
}

func noPool(id string) error {
	return wire.Errorf("ResourceNotFoundException", "User pool %s does not exist.", id)
}

func (s *Service) client(id string) (*client, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, known := s.clients[id]
	if !known {
		return nil, wire.Errorf("ResourceNotFoundException", "User pool client %s does not exist.", id)
	}
	return c, nil
}

func (s *Service) serveWellKnown(w http.ResponseWriter, r *http.Request) {
	id, document, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/.well-known/")
	s.mu.RLock()
	p, known := s.pools[id]
	s.mu.RUnlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case known && document == "jwks.json":
		wire.WriteJSON(w, http.StatusOK, p.keys.public())
	case known && document == "openid-configuration":
		wire.WriteJSON(w, http.StatusOK, map[string]any{
			"issuer": p.issuer(), "jwks_uri": p.issuer() + "/.well-known/jwks.json",
			"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
			"subject_types_supported":               []string{"public"},
		})
	default:
		wire.WriteJSON(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
}
