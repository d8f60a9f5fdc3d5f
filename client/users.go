package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"hl7lake/internal/contract"
)

// The attributes of a user that name the institution for which the user may send, and the
// one on whose messages the user may operate. Cognito puts them, and the readAttributes,
// into the ID token as claims of the same names.
const (
	writeAttribute   = contract.ClaimPrefix + contract.AttributeWrite
	operateAttribute = contract.ClaimPrefix + contract.AttributeOperate
)

// readAttributes returns the attributes of a user that each name an institution whose
// messages the user may read.
func readAttributes() []string {
	return []string{
		contract.ClaimPrefix + contract.AttributeRead, contract.ClaimPrefix + contract.AttributeRead2,
		contract.ClaimPrefix + contract.AttributeRead3, contract.ClaimPrefix + contract.AttributeRead4,
	}
}

// Institutions are names of institutions.
type Institutions []string

// UnmarshalJSON reads a list of names, or a single name, which is what a lake on one
// machine stored before a user could read several.
func (i *Institutions) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*i = Institutions{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(i))
}

// User is a user of the lake.
type User struct {
	Email string       `json:"email"`
	Read  Institutions `json:"read,omitempty"`  // the institutions whose messages the user may read, at most four
	Write string       `json:"write,omitempty"` // the institution for which the user may send
	// Operate is the institution on whose messages the user may operate: see what became
	// of them, without their content, replay them, and forget them.
	Operate string `json:"operate,omitempty"`
	Status  string `json:"status,omitempty"` // Cognito's status, such as CONFIRMED; Add ignores it
	// Disabled says that the user cannot sign in. Add ignores it.
	Disabled bool `json:"disabled,omitempty"`
}

// The errors of Add and of changes to a user.
var (
	// ErrUserExists: the e-mail address already has a user.
	ErrUserExists = errors.New("there is a user with this e-mail address")
	// ErrNoUser: no user has the e-mail address.
	ErrNoUser = errors.New("there is no user with this e-mail address")
	// ErrTooMany: the user would read more institutions than a user can.
	ErrTooMany = fmt.Errorf("a user can read %d institutions at most", len(readAttributes()))
	// ErrWritesOther: the user already sends for another institution.
	ErrWritesOther = errors.New("the user sends for another institution, and a user can send for one only")
	// ErrOperatesOther: the user already operates on the messages of another institution.
	ErrOperatesOther = errors.New("the user operates for another institution, and a user can operate for one only")
	// ErrNotGranted: the user does not have a permission that is to be revoked.
	ErrNotGranted = errors.New("the user does not have this permission")
)

// Add creates a user who can sign in with the password at once. No mail is sent. If
// Cognito refuses the password, no user is left behind.
func (p *Pool) Add(ctx context.Context, u User, password string) error {
	if len(u.Read) > len(readAttributes()) {
		return fmt.Errorf("add %s: %w", u.Email, ErrTooMany)
	}
	_, err := p.api.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{
		UserPoolId:     &p.options.ID,
		Username:       &u.Email,
		MessageAction:  types.MessageActionTypeSuppress,
		UserAttributes: attributes(u),
	})
	if _, ok := errors.AsType[*types.UsernameExistsException](err); ok {
		return fmt.Errorf("add %s: %w", u.Email, ErrUserExists)
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", u.Email, cause(err))
	}
	if err := p.SetPassword(ctx, u.Email, password); err != nil {
		return errors.Join(err, p.Remove(ctx, u.Email))
	}
	return nil
}

func attributes(u User) []types.AttributeType {
	list := []types.AttributeType{attribute("email", u.Email), attribute("email_verified", "true")}
	for i, name := range u.Read {
		list = append(list, attribute(readAttributes()[i], name))
	}
	if u.Write != "" {
		list = append(list, attribute(writeAttribute, u.Write))
	}
	if u.Operate != "" {
		list = append(list, attribute(operateAttribute, u.Operate))
	}
	return list
}

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

// SetPassword gives the user a new permanent password.
func (p *Pool) SetPassword(ctx context.Context, email, password string) error {
	_, err := p.api.AdminSetUserPassword(ctx, &cognito.AdminSetUserPasswordInput{
		UserPoolId: &p.options.ID, Username: &email, Password: &password, Permanent: true,
	})
	return changed("set the password of", email, err)
}

// Remove deletes the user. Tokens that the user already has remain valid until they
// expire, see TokenLifetime.
func (p *Pool) Remove(ctx context.Context, email string) error {
	_, err := p.api.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{UserPoolId: &p.options.ID, Username: &email})
	return changed("remove", email, err)
}

// Permissions are some of what a user may do, see User. Empty fields are none.
type Permissions struct {
	Read           []string
	Write, Operate string
}

// Grant adds to a user's permissions. It returns the changed user. A token holds the
// permissions that the user had when it was issued, so a new one is needed.
//
// Two changes to one user at the same time can undo each other.
func (p *Pool) Grant(ctx context.Context, email string, more Permissions) (User, error) {
	return p.alter(ctx, "grant", email, func(values map[string]string) error {
		for _, name := range more.Read {
			if err := grantRead(values, name); err != nil {
				return err
			}
		}
		if err := grantOne(values, writeAttribute, more.Write, ErrWritesOther); err != nil {
			return err
		}
		return grantOne(values, operateAttribute, more.Operate, ErrOperatesOther)
	})
}

// grantOne puts the name into the attribute, unless the name is empty. If the attribute
// holds another name, the error is other.
func grantOne(values map[string]string, attribute, name string, other error) error {
	switch {
	case name == "":
		return nil
	case values[attribute] != "" && values[attribute] != name:
		return other
	}
	values[attribute] = name
	return nil
}

// grantRead puts the name into the first free attribute, unless one holds it already.
func grantRead(values map[string]string, name string) error {
	free := ""
	for _, attribute := range readAttributes() {
		switch {
		case values[attribute] == name:
			return nil
		case values[attribute] == "" && free == "":
			free = attribute
		}
	}
	if free == "" {
		return ErrTooMany
	}
	values[free] = name
	return nil
}

// Revoke takes permissions from a user and returns the changed user. Tokens that hold
// these permissions remain valid until they expire, see TokenLifetime. If the user lacks
// one of the permissions, nothing is changed and the error is ErrNotGranted.
func (p *Pool) Revoke(ctx context.Context, email string, taken Permissions) (User, error) {
	return p.alter(ctx, "revoke from", email, func(values map[string]string) error {
		for _, name := range taken.Read {
			if !revoke(values, name, readAttributes()...) {
				return ErrNotGranted
			}
		}
		if taken.Write != "" && !revoke(values, taken.Write, writeAttribute) || taken.Operate != "" && !revoke(values, taken.Operate, operateAttribute) {
			return ErrNotGranted
		}
		return nil
	})
}

// revoke empties those of the attributes that hold the name, and reports whether one did.
func revoke(values map[string]string, name string, attributes ...string) (had bool) {
	for _, attribute := range attributes {
		if values[attribute] == name {
			values[attribute], had = "", true
		}
	}
	return had
}

// alter applies change to the attributes that hold a user's permissions and sends those
// that it changed. Setting an attribute to "" removes it (Amazon Cognito API reference,
// AdminUpdateUserAttributes).
func (p *Pool) alter(ctx context.Context, what, email string, change func(values map[string]string) error) (User, error) {
	out, err := p.find(ctx, what, email)
	if err != nil {
		return User{}, err
	}
	before, values := permissions(out.UserAttributes), permissions(out.UserAttributes)
	if err := change(values); err != nil {
		return User{}, fmt.Errorf("%s %s: %w", what, email, err)
	}
	var list []types.AttributeType
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != before[name] {
			list = append(list, attribute(name, values[name]))
		}
	}
	if list != nil {
		_, err := p.api.AdminUpdateUserAttributes(ctx, &cognito.AdminUpdateUserAttributesInput{UserPoolId: &p.options.ID, Username: &email, UserAttributes: list})
		if err != nil {
			return User{}, changed(what, email, err)
		}
	}
	return p.Find(ctx, email)
}

// permissions returns the attributes that hold permissions, by name. An absent one is "".
func permissions(list []types.AttributeType) map[string]string {
	values := map[string]string{writeAttribute: "", operateAttribute: ""}
	for _, name := range readAttributes() {
		values[name] = ""
	}
	for _, attribute := range list {
		if _, is := values[aws.ToString(attribute.Name)]; is {
			values[aws.ToString(attribute.Name)] = aws.ToString(attribute.Value)
		}
	}
	return values
}

// Find returns the user with the e-mail address.
func (p *Pool) Find(ctx context.Context, email string) (User, error) {
	out, err := p.find(ctx, "find", email)
	if err != nil {
		return User{}, err
	}
	return userOf(aws.ToString(out.Username), out.UserAttributes, out.UserStatus, out.Enabled), nil
}

func (p *Pool) find(ctx context.Context, what, email string) (*cognito.AdminGetUserOutput, error) {
	out, err := p.api.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: &p.options.ID, Username: &email})
	return out, changed(what, email, err)
}

// Disable prevents a user from signing in and ends the user's sessions: there are no new
// tokens, and no new credentials from the identity pool. The API verifies tokens without
// asking the pool, so tokens that the user already has remain valid there until they
// expire, see TokenLifetime.
func (p *Pool) Disable(ctx context.Context, email string) error {
	_, err := p.api.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{UserPoolId: &p.options.ID, Username: &email})
	if err != nil {
		return changed("disable", email, err)
	}
	// The identity pool asks whether a user was signed out, not whether the user is
	// disabled. And the sessions from before must not come back with Enable.
	_, err = p.api.AdminUserGlobalSignOut(ctx, &cognito.AdminUserGlobalSignOutInput{UserPoolId: &p.options.ID, Username: &email})
	return changed("end the sessions of", email, err)
}

// Enable allows a disabled user to sign in again.
func (p *Pool) Enable(ctx context.Context, email string) error {
	_, err := p.api.AdminEnableUser(ctx, &cognito.AdminEnableUserInput{UserPoolId: &p.options.ID, Username: &email})
	return changed("enable", email, err)
}

// TokenLifetime returns how long an ID token of the pool's client is valid.
func (p *Pool) TokenLifetime(ctx context.Context) (time.Duration, error) {
	out, err := p.api.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: &p.options.ID, ClientId: &p.options.ClientID})
	if err != nil {
		return 0, fmt.Errorf("look at the user pool's client: %w", cause(err))
	}
	app := out.UserPoolClient
	unit := time.Hour
	if units := app.TokenValidityUnits; units != nil {
		switch units.IdToken {
		case types.TimeUnitsTypeSeconds:
			unit = time.Second
		case types.TimeUnitsTypeMinutes:
			unit = time.Minute
		case types.TimeUnitsTypeDays:
			unit = 24 * time.Hour
		}
	}
	return time.Duration(cmp.Or(aws.ToInt32(app.IdTokenValidity), 1)) * unit, nil // an hour by default
}

func changed(what, email string, err error) error {
	if _, ok := errors.AsType[*types.UserNotFoundException](err); ok {
		return fmt.Errorf("%s %s: %w", what, email, ErrNoUser)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, email, cause(err))
	}
	return nil
}

// List returns all users, sorted by e-mail address.
func (p *Pool) List(ctx context.Context) ([]User, error) {
	var users []User
	pages := cognito.NewListUsersPaginator(p.api, &cognito.ListUsersInput{UserPoolId: &p.options.ID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the users: %w", cause(err))
		}
		for _, entry := range page.Users {
			users = append(users, userOf(aws.ToString(entry.Username), entry.Attributes, entry.UserStatus, entry.Enabled))
		}
	}
	slices.SortFunc(users, func(a, b User) int { return cmp.Compare(a.Email, b.Email) })
	return users, nil
}

func userOf(name string, attributes []types.AttributeType, status types.UserStatusType, enabled bool) User {
	user := User{Email: name, Status: string(status), Disabled: !enabled}
	for _, attribute := range attributes {
		if aws.ToString(attribute.Name) == "email" {
			user.Email = aws.ToString(attribute.Value)
		}
	}
	values := permissions(attributes)
	for _, name := range readAttributes() {
		if values[name] != "" {
			user.Read = append(user.Read, values[name])
		}
	}
	user.Write, user.Operate = values[writeAttribute], values[operateAttribute]
	return user
}
