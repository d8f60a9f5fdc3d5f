package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
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

// SignIn returns a TokenSource for the user. It signs in on first use, and again when the
// token is about to expire. The pool's client must allow USER_PASSWORD_AUTH, as the one
// of dev does.
func (p *Pool) SignIn(email, password string) TokenSource {
	return renewing(func(ctx context.Context) (string, time.Duration, error) {
		out, err := p.api.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			AuthFlow:       types.AuthFlowTypeUserPasswordAuth,
			ClientId:       &p.options.ClientID,
			AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password},
		})
		if err != nil {
			return "", 0, signInError(email, err)
		}
		if out.AuthenticationResult == nil {
			return "", 0, &SignInError{Email: email, Reason: fmt.Sprintf("the user pool asks for %s first", out.ChallengeName)}
		}
		result := out.AuthenticationResult
		return aws.ToString(result.IdToken), time.Duration(result.ExpiresIn) * time.Second, nil
	})
}

// SignInError says why a user, or a machine client, could not sign in.
type SignInError struct {
	Email  string // or the client's id
	Reason string
	Err    error // Cognito's error; may be nil
}

func (e *SignInError) Error() string { return "sign in as " + e.Email + ": " + e.Reason }

func (e *SignInError) Unwrap() error { return e.Err }

func signInError(email string, err error) error {
	if refused, ok := errors.AsType[*types.NotAuthorizedException](err); ok {
		reason := "unknown user or wrong password"
		if strings.Contains(refused.ErrorMessage(), "disabled") { // said only to who knows the password
			reason = "the user is disabled"
		}
		return &SignInError{Email: email, Reason: reason, Err: err}
	}
	if _, ok := errors.AsType[*types.UserNotFoundException](err); ok {
		return &SignInError{Email: email, Reason: "unknown user or wrong password", Err: err}
	}
	if _, ok := errors.AsType[*types.InvalidParameterException](err); ok {
		return &SignInError{Email: email, Reason: "this lake does not allow signing in by password: give an ID token", Err: err}
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
