package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

const newPasswordRequired = "NEW_PASSWORD_REQUIRED"

type initiateAuthInput struct {
	AuthFlow, ClientId string
	UserPoolId         string // AdminInitiateAuth only
	AuthParameters     map[string]string
}

type authOutput struct {
	AuthenticationResult *tokens           `json:",omitempty"`
	ChallengeName        string            `json:",omitempty"`
	Session              string            `json:",omitempty"`
	ChallengeParameters  map[string]string // empty if there is no challenge
}

// initiateAuth signs a user in. It needs no signature: the password is the
// credential.
func (s *Service) initiateAuth(_ context.Context, in *initiateAuthInput) (*authOutput, error) {
	c, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case "USER_PASSWORD_AUTH":
		if !c.allows(in.AuthFlow) {
			return nil, wire.Errorf("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client")
		}
		return s.signIn(c, in.AuthParameters)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return s.refresh(c, in.AuthParameters["REFRESH_TOKEN"])
	}
	return nil, wire.Unsupported("AuthFlow " + in.AuthFlow)
}

func (s *Service) adminInitiateAuth(ctx context.Context, in *initiateAuthInput) (*authOutput, error) {
	c, err := s.adminClient(ctx, "AdminInitiateAuth", in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case "ADMIN_USER_PASSWORD_AUTH":
		if !c.allows(in.AuthFlow) {
			return nil, wire.Errorf("InvalidParameterException", "Auth flow not enabled for this client")
		}
		return s.signIn(c, in.AuthParameters)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return s.refresh(c, in.AuthParameters["REFRESH_TOKEN"])
	}
	return nil, wire.Unsupported("AuthFlow " + in.AuthFlow)
}

// signIn checks a password. A client that prevents such errors is not told whether the
// user or the password was wrong.
func (s *Service) signIn(c *client, parameters map[string]string) (*authOutput, error) {
	for _, name := range []string{"USERNAME", "PASSWORD"} {
		if parameters[name] == "" {
			return nil, wire.Errorf("InvalidParameterException", "Missing required parameter %s", name)
		}
	}
	u, err := s.checkPassword(c, parameters["USERNAME"], parameters["PASSWORD"])
	if err != nil {
		return nil, err
	}
	if u.Status == forceChange {
		return s.challenge(c, u)
	}
	return s.grant(c, u, []string{adminScope})
}

// checkPassword finds a user who may sign in or, with a temporary password, must choose
// another.
func (s *Service) checkPassword(c *client, name, password string) (*user, error) {
	u, err := s.find(c.pool, name)
	var notFound *wire.Error
	if errors.As(err, &notFound) {
		nobody().is(password)
		if c.PreventUserExistenceErrors != "ENABLED" {
			return nil, err
		}
		return nil, notAuthorized("Incorrect username or password.")
	}
	if err != nil {
		return nil, err
	}
	if !u.Password.is(password) {
		return nil, notAuthorized("Incorrect username or password.")
	}
	if u.Disabled {
		return nil, notAuthorized("User is disabled.")
	}
	return u, nil
}

// nobody has no password.
func nobody() *password { return nil }

// grant gives a user the tokens of a new sign-in.
func (s *Service) grant(c *client, u *user, scopes []string) (*authOutput, error) {
	now, origin := time.Now(), uuid.NewString()
	granted, err := c.issue(u, now, origin, scopes)
	if err != nil {
		return nil, err
	}
	if granted.RefreshToken, err = c.refreshToken(u, now, origin, scopes); err != nil {
		return nil, err
	}
	return &authOutput{AuthenticationResult: granted, ChallengeParameters: map[string]string{}}, nil
}

// challenge asks a user with a temporary password for a new one.
func (s *Service) challenge(c *client, u *user) (*authOutput, error) {
	days := c.pool.passwordPolicy().TemporaryPasswordValidityDays
	if time.Since(u.Password.Set) > time.Duration(days)*24*time.Hour {
		return nil, notAuthorized("Temporary password has expired and must be reset by an administrator.")
	}
	session, err := c.pool.keys.seal(sealed{Purpose: newPasswordRequired, User: u.Sub, Client: c.id, Password: u.Password.Salt,
		Expires: time.Now().Add(time.Duration(max(c.AuthSessionValidity, 3)) * time.Minute).Unix()})
	if err != nil {
		return nil, err
	}
	visible := maps.Clone(u.Attributes)
	maps.DeleteFunc(visible, func(name, _ string) bool { return !c.reads(name) })
	text, err := json.Marshal(visible)
	if err != nil {
		return nil, err
	}
	return &authOutput{ChallengeName: newPasswordRequired, Session: session, ChallengeParameters: map[string]string{
		"USER_ID_FOR_SRP": u.Username, "requiredAttributes": "[]", "userAttributes": string(text),
	}}, nil
}

type respondInput struct {
	ChallengeName, ClientId, Session string
	UserPoolId                       string // AdminRespondToAuthChallenge only
	ChallengeResponses               map[string]string
}

// adminRespondToAuthChallenge is respondToAuthChallenge for an administrator, in any
// flow.
func (s *Service) adminRespondToAuthChallenge(ctx context.Context, in *respondInput) (*authOutput, error) {
	if _, err := s.adminClient(ctx, "AdminRespondToAuthChallenge", in.UserPoolId, in.ClientId); err != nil {
		return nil, err
	}
	return s.respondToAuthChallenge(ctx, in)
}

// adminClient finds the client of a pool for a caller who may perform action on the pool.
func (s *Service) adminClient(ctx context.Context, action, poolID, clientID string) (*client, error) {
	p, err := s.allowed(ctx, action, poolID)
	if err != nil {
		return nil, err
	}
	c, err := s.client(clientID)
	if err == nil && c.pool.id != p.id {
		return nil, wire.Errorf("ResourceNotFoundException", "User pool client %s does not exist.", clientID)
	}
	return c, err
}

// respondToAuthChallenge sets the password that a challenge asked for and signs
// the user in.
func (s *Service) respondToAuthChallenge(_ context.Context, in *respondInput) (*authOutput, error) {
	c, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	if in.ChallengeName != newPasswordRequired {
		return nil, wire.Unsupported("ChallengeName " + in.ChallengeName)
	}
	session, valid := c.pool.keys.unseal(in.Session, newPasswordRequired, c.id)
	if !valid || time.Now().Unix() >= session.Expires {
		return nil, notAuthorized("Invalid session for the user, session is expired.")
	}
	chosen := in.ChallengeResponses["NEW_PASSWORD"]
	if err := c.pool.accepts(chosen); err != nil {
		return nil, err
	}
	given, err := c.givenAttributes(in.ChallengeResponses)
	if err != nil {
		return nil, err
	}
	hashed, signedIn := newPassword(chosen), new(user)
	err = s.change(c.pool, session.User, func(tx *bbolt.Tx, u *user) error {
		if u.Disabled || u.Status != forceChange || !slices.Equal(u.Password.Salt, session.Password) {
			return notAuthorized("Invalid session for the user.")
		}
		if err := c.pool.update(tx, u, given); err != nil {
			return err
		}
		u.Password, u.Status = hashed, confirmed
		*signedIn = *u
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.grant(c, signedIn, []string{adminScope})
}

// givenAttributes are those that a user sets together with the new password.
func (c *client) givenAttributes(responses map[string]string) (map[string]string, error) {
	given := map[string]string{}
	for name, value := range responses {
		attribute, is := strings.CutPrefix(name, "userAttributes.")
		if !is {
			continue
		}
		if !c.writes(attribute) {
			return nil, notAuthorized("A client attempted to write unauthorized attribute")
		}
		given[attribute] = value
	}
	return given, c.pool.conforms(given, true)
}

// refresh gives new ID and access tokens for the same sign-in.
func (s *Service) refresh(c *client, token string) (*authOutput, error) {
	if !c.allows("REFRESH_TOKEN_AUTH") {
		return nil, wire.Errorf("InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client")
	}
	return s.renew(c, token)
}

// renew returns new tokens for a refresh token, with the scopes of its sign-in.
func (s *Service) renew(c *client, token string) (*authOutput, error) {
	claims, valid := c.pool.keys.unseal(token, "refresh", c.id)
	if !valid {
		return nil, notAuthorized("Invalid Refresh Token")
	}
	if time.Now().Unix() >= claims.Expires {
		return nil, notAuthorized("Refresh Token has expired")
	}
	u, err := s.find(c.pool, claims.User)
	if err != nil {
		return nil, notAuthorized("Invalid Refresh Token")
	}
	if u.Disabled {
		return nil, notAuthorized("User is disabled.")
	}
	if u.signedOut(claims.AuthTime) {
		return nil, notAuthorized("Refresh Token has been revoked")
	}
	granted, err := c.issue(u, time.Unix(claims.AuthTime, 0), claims.Origin, claims.Scopes)
	if err != nil {
		return nil, err
	}
	return &authOutput{AuthenticationResult: granted, ChallengeParameters: map[string]string{}}, nil
}
