package edge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hl7lake/client"
	"hl7lake/edge/config"
)

// ErrNoSecret says that a password is neither in its file nor in its environment
// variable.
var ErrNoSecret = errors.New("the password is empty")

// NewTarget returns the lake of a configuration with the credentials of a listener. It
// reads the outputs and the password or secret, and does not call the lake. If a token is
// for another institution than the listener's, every call returns an [*InstitutionError].
func NewTarget(c config.Config, l config.Listener, getenv func(string) string) (*client.Client, error) {
	connection, err := connectionOf(c.Lake)
	if err != nil {
		return nil, err
	}
	tokens, err := tokensOf(connection, *l.Credentials, getenv)
	if err != nil {
		return nil, err
	}
	if l.Institution != "" {
		tokens = onlyFor(l.Institution, tokens)
	}
	return connection.Client(tokens)
}

// tokensOf returns the tokens of a user or a machine client.
func tokensOf(connection client.Connection, c config.Credentials, getenv func(string) string) (client.TokenSource, error) {
	if c.Client != "" {
		secret, err := secret(c.Secret, c.SecretEnv, getenv)
		if err != nil {
			return nil, err
		}
		return connection.Machine(c.Client, secret)
	}
	password, err := secret(c.Password, c.PasswordEnv, getenv)
	if err != nil {
		return nil, err
	}
	pool, err := connection.Pool(nil)
	if err != nil {
		return nil, err
	}
	return pool.SignIn(c.User, password), nil
}

func connectionOf(l config.Location) (client.Connection, error) {
	if l.Connection != "" {
		return client.ReadConnection(l.Connection)
	}
	outputs, err := client.ReadOutputs(l.Outputs)
	return client.Connection{Outputs: outputs}, err
}

// secret reads a secret from a file or from an environment variable.
func secret(path, variable string, getenv func(string) string) (string, error) {
	if variable != "" {
		if value := getenv(variable); value != "" {
			return value, nil
		}
		return "", fmt.Errorf("%w: the environment has no %s", ErrNoSecret, variable)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", fmt.Errorf("%w: %s", ErrNoSecret, path)
	}
	return value, nil
}

// InstitutionError says that a token is not for the right institution.
type InstitutionError struct{ Want, Got string }

func (e *InstitutionError) Error() string {
	return fmt.Sprintf("the credentials are for the institution %q, and not for %q", e.Got, e.Want)
}

// onlyFor returns a source that gives tokens for one institution only: a mistake in the
// credentials must not store the messages of one institution as another's.
func onlyFor(institution string, tokens client.TokenSource) client.TokenSource {
	return func(ctx context.Context) (string, error) {
		token, err := tokens(ctx)
		if err != nil {
			return "", err
		}
		if got := client.ReadClaims(token).Institution(); got != institution {
			return "", &InstitutionError{Want: institution, Got: got}
		}
		return token, nil
	}
}
