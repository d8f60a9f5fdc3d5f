package cognito

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// keys are what a pool signs with: a key for the tokens that others check, and a secret
// for those that only the pool reads (refresh tokens, sessions), so that none of the
// second can ever be taken for one of the first.
type keys struct {
	signing *rsa.PrivateKey
	id      string
	secret  []byte
}

// loadKeys reads a pool's keys from the store, or makes them on first use.
func (s *Service) loadKeys(poolID string) (keys, error) {
	var private, secret []byte
	err := s.store.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(keyBucket()); b != nil {
			private = slices.Clone(b.Get([]byte(poolID)))
			secret = slices.Clone(b.Get([]byte(poolID + "#secret")))
		}
		return nil
	})
	if err == nil && private == nil {
		private, secret, err = s.makeKeys(poolID)
	}
	if err != nil {
		return keys{}, fmt.Errorf("keys of user pool %s: %w", poolID, err)
	}
	parsed, err := x509.ParsePKCS1PrivateKey(private)
	if err != nil {
		return keys{}, fmt.Errorf("keys of user pool %s: %w", poolID, err)
	}
	print, err := (&jose.JSONWebKey{Key: parsed.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return keys{}, fmt.Errorf("keys of user pool %s: %w", poolID, err)
	}
	return keys{parsed, base64.StdEncoding.EncodeToString(print), secret}, nil
}

func keyBucket() []byte { return []byte("cognito-keys") }

func (s *Service) makeKeys(poolID string) (private, secret []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	private, secret = x509.MarshalPKCS1PrivateKey(key), make([]byte, 32)
	_, _ = rand.Read(secret) // crypto/rand never fails
	return private, secret, s.store.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(keyBucket())
		if err != nil {
			return err
		}
		if err := b.Put([]byte(poolID), private); err != nil {
			return err
		}
		return b.Put([]byte(poolID+"#secret"), secret)
	})
}

func (k keys) public() *jose.JSONWebKeySet {
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.signing.Public(), KeyID: k.id, Algorithm: string(jose.RS256), Use: "sig"},
	}}
}

// sign makes a token that others can check.
func (k keys) sign(claims map[string]any) (string, error) {
	return serialize(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.signing, KeyID: k.id}}, claims)
}

// seal makes a token that only the pool reads.
func (k keys) seal(claims sealed) (string, error) {
	return serialize(jose.SigningKey{Algorithm: jose.HS256, Key: k.secret}, claims)
}

func serialize(key jose.SigningKey, claims any) (string, error) {
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// sealed is what a refresh token or a session says to its own pool.
type sealed struct {
	Purpose  string   `json:"purpose"` // refresh or NEW_PASSWORD_REQUIRED
	User     string   `json:"user"`    // sub
	Client   string   `json:"client"`
	Expires  int64    `json:"expires"` // Unix seconds
	AuthTime int64    `json:"auth_time"`
	Origin   string   `json:"origin_jti"`
	Scopes   []string `json:"scopes,omitempty"`   // of a sign-in with the pages
	Password []byte   `json:"password,omitempty"` // salt of the password that it was made for
}

// unseal reads such a token. It refuses one for another purpose or client. The caller
// must check whether it has expired.
func (k keys) unseal(token, purpose, client string) (sealed, bool) {
	var claims sealed
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil || parsed.Claims(k.secret, &claims) != nil {
		return sealed{}, false
	}
	return claims, claims.Purpose == purpose && claims.Client == client
}

// tokens are what a signed-in user gets.
type tokens struct {
	AccessToken  string
	IdToken      string
	RefreshToken string `json:",omitempty"`
	ExpiresIn    int    // seconds, of the access token
	TokenType    string
}

// issue makes the ID and access tokens of a sign-in or its refresh, with Cognito's claims
// (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html).
func (c *client) issue(u *user, authTime time.Time, origin string, scopes []string) (*tokens, error) {
	now := time.Now()
	common := func(use string, life time.Duration) map[string]any {
		return map[string]any{
			"sub": u.Sub, "iss": c.pool.issuer(), "token_use": use, "origin_jti": origin, "jti": uuid.NewString(),
			"event_id": uuid.NewString(), "auth_time": authTime.Unix(), "iat": now.Unix(), "exp": now.Add(life).Unix(),
		}
	}
	accessLife := validity(c.AccessTokenValidity, c.TokenValidityUnits.AccessToken, time.Hour, time.Hour)
	access := common("access", accessLife)
	access["client_id"], access["username"], access["scope"] = c.id, u.Username, strings.Join(scopes, " ")
	id := common("id", validity(c.IdTokenValidity, c.TokenValidityUnits.IdToken, time.Hour, time.Hour))
	id["aud"], id["cognito:username"] = c.id, u.Username
	for name, value := range u.Attributes {
		if !c.reads(name) || !shows(scopes, name) {
			continue
		}
		id[name] = value
		if name == "email_verified" || name == "phone_number_verified" {
			id[name] = value == "true"
		}
	}
	accessToken, err := c.pool.keys.sign(access)
	if err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	idToken, err := c.pool.keys.sign(id)
	if err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	return &tokens{AccessToken: accessToken, IdToken: idToken, ExpiresIn: int(accessLife.Seconds()), TokenType: "Bearer"}, nil
}

// reads reports whether the client may read an attribute.
func (c *client) reads(attribute string) bool {
	return len(c.ReadAttributes) == 0 || slices.Contains(c.ReadAttributes, attribute)
}

// writes reports whether users may set an attribute through the client.
func (c *client) writes(attribute string) bool {
	return len(c.WriteAttributes) == 0 || slices.Contains(c.WriteAttributes, attribute)
}

// refreshToken makes the token that is exchanged for new tokens without the password.
func (c *client) refreshToken(u *user, authTime time.Time, origin string, scopes []string) (string, error) {
	life := validity(c.RefreshTokenValidity, c.TokenValidityUnits.RefreshToken, 24*time.Hour, 30*24*time.Hour)
	return c.pool.keys.seal(sealed{Purpose: "refresh", User: u.Sub, Client: c.id,
		Expires: authTime.Add(life).Unix(), AuthTime: authTime.Unix(), Origin: origin, Scopes: scopes})
}

func notAuthorized(message string) error { return wire.Errorf("NotAuthorizedException", "%s", message) }
