package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
)

// The attributes of a user that name the institution whose messages the user may read or
// send. Cognito puts them into the ID token as claims of the same names.
const (
	readAttribute  = "custom:read"
	writeAttribute = "custom:write"
)

// PoolOptions say where a user pool is.
type PoolOptions struct {
	ID       string // the stack's output UserPoolId, such as eu-west-1_AbCdEf
	ClientID string // the stack's output UserPoolClientId
	Endpoint string // of a lake on one machine; "" means AWS
	// Credentials are an administrator's. Signing in needs none, so they may be nil in a
	// Pool that is used for that only.
	Credentials aws.CredentialsProvider
}

// Pool is the user pool of a lake. It is safe for concurrent use.
type Pool struct {
	options PoolOptions
	api     *cognito.Client
}

// NewPool returns the pool at the given place. It makes no call.
func NewPool(o PoolOptions) *Pool {
	region, _, _ := strings.Cut(o.ID, "_") // the region is the id's first part (Amazon Cognito API reference, "The user pool ID")
	options := cognito.Options{Region: region, Credentials: o.Credentials}
	if o.Credentials == nil {
		options.Credentials = aws.AnonymousCredentials{}
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = &o.Endpoint
		options.RetryMaxAttempts = 1 // a pool on this machine answers at once or not at all
	}
	return &Pool{options: o, api: cognito.New(options)}
}

// StaticCredentials returns a provider of one access key.
func StaticCredentials(accessKeyID, secretAccessKey string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, "")
}

// User is a user of the lake.
type User struct {
	Email  string `json:"email"`
	Read   string `json:"read,omitempty"`   // the institution whose messages the user may read
	Write  string `json:"write,omitempty"`  // the institution for which the user may send
	Status string `json:"status,omitempty"` // Cognito's status, such as CONFIRMED; only List fills it
}

// tokenMargin is how long before its expiry a token is no longer used, so that it does
// not expire on its way.
const tokenMargin = time.Minute

// SignIn returns a TokenSource for the user. It signs in on first use, and again when the
// token is about to expire. The pool's client must allow USER_PASSWORD_AUTH, as the one
// of dev does.
func (p *Pool) SignIn(email, password string) TokenSource {
	var (
		mu      sync.Mutex
		token   string
		expires time.Time
	)
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && time.Now().Before(expires) {
			return token, nil
		}
		out, err := p.api.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			AuthFlow:       types.AuthFlowTypeUserPasswordAuth,
			ClientId:       &p.options.ClientID,
			AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password},
		})
		if err != nil {
			return "", signInError(email, err)
		}
		if out.AuthenticationResult == nil {
			return "", &SignInError{Email: email, Reason: fmt.Sprintf("the user pool asks for %s first", out.ChallengeName)}
		}
		token = aws.ToString(out.AuthenticationResult.IdToken)
		lifetime := time.Duration(out.AuthenticationResult.ExpiresIn) * time.Second
		expires = time.Now().Add(lifetime - tokenMargin)
		return token, nil
	}
}

// SignInError says why a user could not sign in.
type SignInError struct {
	Email  string
	Reason string
	Err    error // Cognito's error; may be nil
}

func (e *SignInError) Error() string { return "sign in as " + e.Email + ": " + e.Reason }

func (e *SignInError) Unwrap() error { return e.Err }

func signInError(email string, err error) error {
	if _, ok := errors.AsType[*types.NotAuthorizedException](err); ok {
		return &SignInError{Email: email, Reason: "unknown user or wrong password", Err: err}
	}
	if _, ok := errors.AsType[*types.UserNotFoundException](err); ok {
		return &SignInError{Email: email, Reason: "unknown user or wrong password", Err: err}
	}
	if _, ok := errors.AsType[*types.InvalidParameterException](err); ok {
		return &SignInError{Email: email, Reason: "this lake signs nobody in by password, it wants an ID token", Err: err}
	}
	return fmt.Errorf("sign in as %s: %w", email, cause(err))
}

// cause returns the error of an AWS call without the SDK's text about its attempts.
func cause(err error) error {
	if problem, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Errorf("%s: %s", problem.ErrorCode(), problem.ErrorMessage())
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		address, _, _ := strings.Cut(inner.URL, "?")
		return &UnreachableError{URL: strings.TrimSuffix(address, "/"), Err: inner.Err}
	}
	return err
}

// ErrUserExists is the error of Add if the e-mail address already has a user.
var ErrUserExists = errors.New("there is a user with this e-mail address")

// ErrNoUser is the error of a change to a user that does not exist.
var ErrNoUser = errors.New("there is no user with this e-mail address")

// Add creates a user who can sign in with the password at once. No mail is sent. If
// Cognito refuses the password, no user is left behind.
func (p *Pool) Add(ctx context.Context, u User, password string) error {
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
	list := []types.AttributeType{
		{Name: aws.String("email"), Value: &u.Email},
		{Name: aws.String("email_verified"), Value: aws.String("true")},
	}
	if u.Read != "" {
		list = append(list, types.AttributeType{Name: aws.String(readAttribute), Value: &u.Read})
	}
	if u.Write != "" {
		list = append(list, types.AttributeType{Name: aws.String(writeAttribute), Value: &u.Write})
	}
	return list
}

// SetPassword gives the user a new permanent password.
func (p *Pool) SetPassword(ctx context.Context, email, password string) error {
	_, err := p.api.AdminSetUserPassword(ctx, &cognito.AdminSetUserPasswordInput{
		UserPoolId: &p.options.ID, Username: &email, Password: &password, Permanent: true,
	})
	return changed("set the password of", email, err)
}

// Remove deletes the user. Tokens that the user already has remain valid until they
// expire.
func (p *Pool) Remove(ctx context.Context, email string) error {
	_, err := p.api.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{UserPoolId: &p.options.ID, Username: &email})
	return changed("remove", email, err)
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
			users = append(users, listed(entry))
		}
	}
	slices.SortFunc(users, func(a, b User) int { return cmp.Compare(a.Email, b.Email) })
	return users, nil
}

func listed(entry types.UserType) User {
	user := User{Status: string(entry.UserStatus)}
	for _, attribute := range entry.Attributes {
		value := aws.ToString(attribute.Value)
		switch aws.ToString(attribute.Name) {
		case "email":
			user.Email = value
		case readAttribute:
			user.Read = value
		case writeAttribute:
			user.Write = value
		}
	}
	if user.Email == "" {
		user.Email = aws.ToString(entry.Username)
	}
	return user
}
