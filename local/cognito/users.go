package cognito

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// The states of a user that occur here.
const (
	confirmed   = "CONFIRMED"
	forceChange = "FORCE_CHANGE_PASSWORD"
)

// user is a user as stored.
type user struct {
	Sub        string
	Username   string // the sub in a pool where users sign in by e-mail
	Name       string // what the user signs in with
	Attributes map[string]string
	Status     string
	Disabled   bool
	Password   *password // nil: none that anybody knows
	Created    time.Time
	Modified   time.Time
	SignedOut  time.Time // sessions from before then are signed out; zero: never signed out
}

// signedOut reports whether the session that began at authTime, in Unix seconds, was
// ended by an administrator. One that began in the very second counts as ended: a token
// tells no finer time.
func (u *user) signedOut(authTime int64) bool {
	return !u.SignedOut.IsZero() && authTime <= u.SignedOut.Unix()
}

// The store has users by sub, and subs by the names that users sign in with.
func (p *pool) userBucket() []byte { return []byte("cognito-users/" + p.id) }
func (p *pool) nameBucket() []byte { return []byte("cognito-names/" + p.id) }

// key is the name that a user is found by.
func (p *pool) key(name string) []byte {
	if !p.UsernameConfiguration.CaseSensitive {
		name = strings.ToLower(name)
	}
	return []byte(name)
}

func userNotFound() error { return wire.Errorf("UserNotFoundException", "User does not exist.") }

// find reads a user by the name that they sign in with, or by their sub.
func (s *Service) find(p *pool, name string) (u *user, err error) {
	err = s.store.View(func(tx *bbolt.Tx) error {
		u, err = p.load(tx, name)
		return err
	})
	return u, err
}

func (p *pool) load(tx *bbolt.Tx, name string) (*user, error) {
	names, users := tx.Bucket(p.nameBucket()), tx.Bucket(p.userBucket())
	if names == nil || users == nil {
		return nil, userNotFound()
	}
	sub := names.Get(p.key(name))
	if sub == nil {
		sub = []byte(name)
	}
	text := users.Get(sub)
	if text == nil {
		return nil, userNotFound()
	}
	u := new(user)
	if err := json.Unmarshal(text, u); err != nil {
		return nil, fmt.Errorf("a user of pool %s: %w", p.id, err)
	}
	return u, nil
}

// save writes a user, and the name that leads to them.
func (p *pool) save(tx *bbolt.Tx, u *user) error {
	text, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("a user of pool %s: %w", p.id, err)
	}
	names, err := tx.CreateBucketIfNotExists(p.nameBucket())
	if err != nil {
		return err
	}
	users, err := tx.CreateBucketIfNotExists(p.userBucket())
	if err != nil {
		return err
	}
	if err := users.Put([]byte(u.Sub), text); err != nil {
		return err
	}
	return names.Put(p.key(u.Name), []byte(u.Sub))
}

// change applies a change to a user. If change returns an error, the user stays the same.
func (s *Service) change(p *pool, name string, change func(tx *bbolt.Tx, u *user) error) error {
	return s.store.Update(func(tx *bbolt.Tx) error {
		u, err := p.load(tx, name)
		if err != nil {
			return err
		}
		if err := change(tx, u); err != nil {
			return err
		}
		u.Modified = time.Now()
		return p.save(tx, u)
	})
}

// attributes returns a user's attributes in the protocol's form.
type attributes []struct{ Name, Value string }

func (a attributes) asMap() map[string]string {
	m := make(map[string]string, len(a))
	for _, attribute := range a {
		m[attribute.Name] = attribute.Value
	}
	return m
}

func (u *user) list() attributes {
	list := attributes{{"sub", u.Sub}}
	for _, name := range sortedNames(u.Attributes) {
		list = append(list, struct{ Name, Value string }{name, u.Attributes[name]})
	}
	return list
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// userOutput is a user in the protocol's form.
type userOutput struct {
	Username             string
	Attributes           attributes `json:",omitempty"`
	UserAttributes       attributes `json:",omitempty"` // instead of Attributes, from AdminGetUser
	Enabled              bool
	UserStatus           string
	UserCreateDate       float64
	UserLastModifiedDate float64
}

func (u *user) output() userOutput {
	return userOutput{
		Username: u.Username, Attributes: u.list(), Enabled: !u.Disabled, UserStatus: u.Status,
		UserCreateDate: epoch(u.Created), UserLastModifiedDate: epoch(u.Modified),
	}
}

type adminCreateUserInput struct {
	UserPoolId, Username, TemporaryPassword string
	UserAttributes                          attributes
	MessageAction                           string
	DesiredDeliveryMediums                  []string
}

type adminCreateUserOutput struct{ User userOutput }

// adminCreateUser makes a user who must change the temporary password. Nothing is mailed
// here, so nobody knows a password that was not given.
func (s *Service) adminCreateUser(ctx context.Context, in *adminCreateUserInput) (*adminCreateUserOutput, error) {
	p, err := s.allowed(ctx, "AdminCreateUser", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.MessageAction == "RESEND" {
		return nil, wire.UnsupportedProperty("MessageAction", in.MessageAction)
	}
	u, err := p.newUser(in)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(func(tx *bbolt.Tx) error {
		if _, err := p.load(tx, u.Name); err == nil {
			return wire.Errorf("UsernameExistsException", "User account already exists")
		}
		return p.save(tx, u)
	})
	if err != nil {
		return nil, err
	}
	return &adminCreateUserOutput{u.output()}, nil
}

func (p *pool) newUser(in *adminCreateUserInput) (*user, error) {
	given := in.UserAttributes.asMap()
	if err := p.conforms(given, false); err != nil {
		return nil, err
	}
	u := &user{Sub: uuid.NewString(), Username: in.Username, Name: in.Username, Attributes: given, Status: forceChange, Created: time.Now()}
	u.Modified = u.Created
	if len(p.UsernameAttributes) > 0 {
		if address, err := mail.ParseAddress(in.Username); err != nil || address.Address != in.Username {
			return nil, wire.Errorf("InvalidParameterException", "Username should be an email.")
		}
		if email, there := given["email"]; there && !slices.Equal(p.key(email), p.key(in.Username)) {
			return nil, wire.Errorf("InvalidParameterException", "Username and email attribute do not match.")
		}
		u.Username, u.Attributes["email"] = u.Sub, in.Username
	}
	if in.Username == "" {
		return nil, wire.Errorf("InvalidParameterException", "Username is required.")
	}
	temporary := in.TemporaryPassword
	if temporary == "" {
		temporary = rand.Text() + "aA1!"
	}
	if err := p.accepts(temporary); err != nil {
		return nil, err
	}
	u.Password = newPassword(temporary)
	return u, nil
}

type adminSetUserPasswordInput struct {
	UserPoolId, Username, Password string
	Permanent                      bool
}

func (s *Service) adminSetUserPassword(ctx context.Context, in *adminSetUserPasswordInput) (any, error) {
	p, err := s.allowed(ctx, "AdminSetUserPassword", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if err := p.accepts(in.Password); err != nil {
		return nil, err
	}
	hashed := newPassword(in.Password)
	return nil, s.change(p, in.Username, func(_ *bbolt.Tx, u *user) error {
		u.Password, u.Status = hashed, forceChange
		if in.Permanent {
			u.Status = confirmed
		}
		return nil
	})
}

type adminUpdateUserAttributesInput struct {
	UserPoolId, Username string
	UserAttributes       attributes
}

func (s *Service) adminUpdateUserAttributes(ctx context.Context, in *adminUpdateUserAttributesInput) (any, error) {
	p, err := s.allowed(ctx, "AdminUpdateUserAttributes", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	given := in.UserAttributes.asMap()
	if err := p.conforms(given, true); err != nil {
		return nil, err
	}
	return nil, s.change(p, in.Username, func(tx *bbolt.Tx, u *user) error { return p.update(tx, u, given) })
}

// update sets attributes; an empty value removes one. In a pool where users sign in by
// e-mail, the e-mail address is also the name.
func (p *pool) update(tx *bbolt.Tx, u *user, given map[string]string) error {
	email, there := given["email"]
	if there && len(p.UsernameAttributes) > 0 && !slices.Equal(p.key(email), p.key(u.Name)) {
		if _, err := p.load(tx, email); err == nil {
			return wire.Errorf("AliasExistsException", "An account with the email already exists.")
		}
		if err := tx.Bucket(p.nameBucket()).Delete(p.key(u.Name)); err != nil {
			return err
		}
		u.Name = email
	}
	for name, value := range given {
		u.Attributes[name] = value
		if value == "" {
			delete(u.Attributes, name)
		}
	}
	return nil
}

type adminUserInput struct{ UserPoolId, Username string }

func (s *Service) adminDeleteUser(ctx context.Context, in *adminUserInput) (any, error) {
	p, err := s.allowed(ctx, "AdminDeleteUser", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Update(func(tx *bbolt.Tx) error {
		u, err := p.load(tx, in.Username)
		if err != nil {
			return err
		}
		if err := tx.Bucket(p.nameBucket()).Delete(p.key(u.Name)); err != nil {
			return err
		}
		return tx.Bucket(p.userBucket()).Delete([]byte(u.Sub))
	})
}

func (s *Service) adminGetUser(ctx context.Context, in *adminUserInput) (*userOutput, error) {
	p, err := s.allowed(ctx, "AdminGetUser", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	u, err := s.find(p, in.Username)
	if err != nil {
		return nil, err
	}
	output := u.output()
	output.UserAttributes, output.Attributes = output.Attributes, nil
	return &output, nil
}

func (s *Service) adminDisableUser(ctx context.Context, in *adminUserInput) (any, error) {
	return s.setDisabled(ctx, "AdminDisableUser", in, true)
}

// adminUserGlobalSignOut ends a user's sessions: their refresh and access tokens are
// refused from now on, and an identity pool that asks takes their ID tokens no more.
// Others take these until they expire.
func (s *Service) adminUserGlobalSignOut(ctx context.Context, in *adminUserInput) (any, error) {
	p, err := s.allowed(ctx, "AdminUserGlobalSignOut", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return nil, s.change(p, in.Username, func(_ *bbolt.Tx, u *user) error {
		u.SignedOut = time.Now()
		return nil
	})
}

func (s *Service) adminEnableUser(ctx context.Context, in *adminUserInput) (any, error) {
	return s.setDisabled(ctx, "AdminEnableUser", in, false)
}

func (s *Service) setDisabled(ctx context.Context, action string, in *adminUserInput, disabled bool) (any, error) {
	p, err := s.allowed(ctx, action, in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return nil, s.change(p, in.Username, func(_ *bbolt.Tx, u *user) error {
		u.Disabled = disabled
		return nil
	})
}
