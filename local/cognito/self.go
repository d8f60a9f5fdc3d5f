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

// Identity is who an ID token speaks of.
type Identity struct {
	Sub, ClientID string
	Claims        map[string]any
}

// claims are those of any token that the pools sign.
type claims struct {
	jwt.Claims
	Use      string `json:"token_use"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

// read checks the signature and use of a token of any pool and returns its client and claims. Whether its time is over is
// for the caller to look at.
func (s *Service) read(token, use string) (c *client, known claims, all map[string]any, valid bool) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || parsed.UnsafeClaimsWithoutVerification(&known) != nil {
		return nil, claims{}, nil, false
	}
	keys, ours := s.Keys(known.Issuer)
	known = claims{}
	if !ours || parsed.Claims(keys, &known, &all) != nil || known.Use != use || known.Expiry == nil {
		return nil, claims{}, nil, false
	}
	id := known.ClientID
	if use == "id" && len(known.Audience) == 1 {
		id = known.Audience[0]
	}
	c, err = s.client(id)
	if err != nil || c.pool.issuer() != known.Issuer {
		return nil, claims{}, nil, false
	}
	return c, known, all, true
}

// IDToken checks an ID token of the issuer, such as cognito-idp.us-east-1.amazonaws.com/<pool id>: its signature, use and
// time. With live it also asks whether the user is still there and enabled. The error is a *wire.Error in Cognito's words.
func (s *Service) IDToken(provider, token string, live bool) (Identity, error) {
	c, known, all, valid := s.read(token, "id")
	if !valid || known.Issuer != "https://"+provider {
		return Identity{}, notAuthorized("Invalid login token. Not a valid OpenId Connect identity token.")
	}
	if !time.Now().Before(known.Expiry.Time()) {
		return Identity{}, notAuthorized("Invalid login token. Token expired: " + known.Expiry.Time().UTC().Format(time.RFC3339))
	}
	if live {
		if u, err := s.find(c.pool, known.Subject); err != nil || u.Disabled {
			return Identity{}, notAuthorized("Invalid login token. Token is not valid.")
		}
	}
	return Identity{Sub: known.Subject, ClientID: c.id, Claims: all}, nil
}

// self finds the user that an access token speaks of, who may look at and change themselves if the token's scopes say so.
func (s *Service) self(token string) (*client, *user, error) {
	c, known, _, valid := s.read(token, "access")
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

// getUser tells a user the attributes that the client may read.
func (s *Service) getUser(_ context.Context, in *selfInput) (*getUserOutput, error) {
	c, u, err := s.self(in.AccessToken)
	if err != nil {
		return nil, err
	}
	visible := slices.DeleteFunc(u.list(), func(a struct{ Name, Value string }) bool { return a.Name != "sub" && !c.reads(a.Name) })
	return &getUserOutput{u.Username, visible}, nil
}

type updateUserAttributesOutput struct{ CodeDeliveryDetailsList []struct{} }

// updateUserAttributes changes a user's own attributes, those that the client may write. One that it may not refuses all.
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
