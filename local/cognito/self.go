package cognito

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.etcd.io/bbolt"
)

// claims are those of an access token.
type claims struct {
	jwt.Claims
	Use      string `json:"token_use"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	AuthTime int64  `json:"auth_time"`
}

// accessToken checks the signature and use of an access token of any pool and returns its
// client and claims. The caller must check whether it has expired.
func (s *Service) accessToken(token string) (c *client, known claims, valid bool) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || parsed.UnsafeClaimsWithoutVerification(&known) != nil {
		return nil, claims{}, false
	}
	keys, ours := s.Keys(known.Issuer)
	known = claims{}
	if !ours || parsed.Claims(keys, &known) != nil || known.Use != "access" || known.Expiry == nil {
		return nil, claims{}, false
	}
	c, err = s.client(known.ClientID)
	if err != nil || c.pool.issuer() != known.Issuer {
		return nil, claims{}, false
	}
	return c, known, true
}

// self finds the user of an access token. Users may look at and change themselves if the
// token's scopes allow it.
func (s *Service) self(token string) (*client, *user, error) {
	c, known, valid := s.accessToken(token)
	if !valid {
		return nil, nil, notAuthorized("Invalid Access Token")
	}
	if !time.Now().Before(known.Expiry.Time()) {
		return nil, nil, notAuthorized("Access Token has expired")
	}
	if !slices.Contains(strings.Fields(known.Scope), adminScope) {
		return nil, nil, notAuthorized("Access Token does not have required scopes")
	}
	u, err := s.find(c.pool, known.Subject)
	if err != nil {
		return nil, nil, err
	}
	if u.Disabled {
		return nil, nil, notAuthorized("User is disabled.")
	}
	if u.signedOut(known.AuthTime) {
		return nil, nil, notAuthorized("Access Token has been revoked")
	}
	return c, u, nil
}

type selfInput struct {
	AccessToken    string
	UserAttributes attributes // UpdateUserAttributes only
}

type getUserOutput struct {
	Username       string
	UserAttributes attributes
}

// getUser returns the attributes of a user that the client may read.
func (s *Service) getUser(_ context.Context, in *selfInput) (*getUserOutput, error) {
	c, u, err := s.self(in.AccessToken)
	if err != nil {
		return nil, err
	}
	visible := slices.DeleteFunc(u.list(), func(a struct{ Name, Value string }) bool { return a.Name != "sub" && !c.reads(a.Name) })
	return &getUserOutput{u.Username, visible}, nil
}

type updateUserAttributesOutput struct{ CodeDeliveryDetailsList []struct{} }

// updateUserAttributes changes a user's own attributes that the client may write. If it
// may not write one of them, it changes none.
func (s *Service) updateUserAttributes(_ context.Context, in *selfInput) (*updateUserAttributesOutput, error) {
	c, u, err := s.self(in.AccessToken)
	if err != nil {
		return nil, err
	}
	given := in.UserAttributes.asMap()
	for name := range given {
		if !c.writes(name) {
			return nil, notAuthorized("A client attempted to write unauthorized attribute")
		}
	}
	if err := c.pool.conforms(given, true); err != nil {
		return nil, err
	}
	err = s.change(c.pool, u.Sub, func(tx *bbolt.Tx, u *user) error { return c.pool.update(tx, u, given) })
	return &updateUserAttributesOutput{[]struct{}{}}, err
}
