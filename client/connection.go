package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/internal/contract"
)

// Outputs are the outputs of the lake's stacks, as `cdk deploy --outputs-file` writes
// them: by stack name, then by output name.
type Outputs map[string]map[string]string

// The names of the outputs that a client uses.
const (
	OutputAPI        = contract.OutputAPI
	OutputConsole    = contract.OutputConsole
	OutputPool       = contract.OutputUserPool
	OutputClient     = contract.OutputUserPoolClient
	OutputLake       = contract.OutputLake
	OutputHub        = contract.OutputHub
	OutputCatalog    = contract.OutputCatalog
	OutputClaimCheck = contract.OutputClaimCheck
	OutputReconcile  = contract.OutputReconcile
	OutputTables     = contract.OutputTables
	OutputTabulate   = contract.OutputTabulate
	OutputFinder     = contract.OutputFinder
	OutputReindex    = contract.OutputReindex
	OutputReceived   = contract.OutputReceived
	OutputReadsLog   = contract.OutputReadsLog
	OutputTrailLog   = contract.OutputTrailLog
)

// Get returns the value of the output called name, from the only stack that has it.
func (o Outputs) Get(name string) (string, error) {
	var stacks []string
	for stack, outputs := range o {
		if _, ok := outputs[name]; ok {
			stacks = append(stacks, stack)
		}
	}
	if len(stacks) != 1 {
		slices.Sort(stacks)
		return "", &OutputError{Name: name, Stacks: stacks}
	}
	return o[stacks[0]][name], nil
}

// OutputError says that no stack has an output of that name, or that several have.
type OutputError struct {
	Name   string
	Stacks []string // the stacks that have it; nil if none has
}

func (e *OutputError) Error() string {
	if e.Stacks == nil {
		return "no stack has the output " + e.Name
	}
	return fmt.Sprintf("the output %s is in several stacks: %s", e.Name, strings.Join(e.Stacks, ", "))
}

// ReadOutputs reads a file of `cdk deploy --outputs-file`.
func ReadOutputs(path string) (Outputs, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var outputs Outputs
	if err := json.Unmarshal(text, &outputs); err != nil {
		return nil, fmt.Errorf("%s is not a file of `cdk deploy --outputs-file`: %w", path, err)
	}
	return outputs, nil
}

// Connection is what a client needs to know of one lake.
type Connection struct {
	Outputs     Outputs   `json:"outputs"`
	Endpoint    string    `json:"endpoint,omitempty"`    // for AWS SDKs; "" means AWS itself
	Credentials *Key      `json:"credentials,omitempty"` // an administrator's, for Endpoint
	Users       []Account `json:"users,omitempty"`       // the users that the lake was started with
}

// Key is an access key of a lake on one machine. It is of no use anywhere else.
type Key struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// Account is a user with a password.
type Account struct {
	User
	Password string `json:"password"`
}

// Running is a lake that runs in this process, as that of hl7lake/local does.
type Running interface {
	Outputs() (map[string]map[string]string, error)
	URL() string
	Credentials() aws.Credentials // the administrator's
}

// ConnectionTo returns the connection to a lake that runs in this process. The error is
// that of its Outputs.
func ConnectionTo(lake Running) (Connection, error) {
	outputs, err := lake.Outputs()
	if err != nil {
		return Connection{}, err
	}
	key := lake.Credentials()
	return Connection{
		Outputs: outputs, Endpoint: lake.URL(),
		Credentials: &Key{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey},
	}, nil
}

// ReadConnection reads a file that Write wrote. If there is none, the error is
// fs.ErrNotExist.
func ReadConnection(path string) (Connection, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Connection{}, err
	}
	var c Connection
	if err := json.Unmarshal(text, &c); err != nil {
		return Connection{}, fmt.Errorf("%s is not a lake's connection: %w", path, err)
	}
	return c, nil
}

// Write writes the connection to a file that only its owner can read. It replaces the
// file as a whole, so that a reader never sees half of it.
func (c Connection) Write(path string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(file.Name()))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Region returns the lake's AWS region. A user pool's id begins with it.
func (c Connection) Region() (string, error) {
	id, err := c.Outputs.Get(OutputPool)
	region, _, _ := strings.Cut(id, "_")
	return region, err
}

// Account returns the account whose e-mail address is name, or begins with name and an @.
// For an empty name it returns the first account. It reports false if there is none.
func (c Connection) Account(name string) (Account, bool) {
	for _, account := range c.Users {
		if name == "" || account.Email == name || strings.HasPrefix(account.Email, name+"@") {
			return account, true
		}
	}
	return Account{}, false
}

// Pool returns the lake's user pool. It is called with the connection's own credentials
// if it has any, else with the given ones. These may be nil if the pool is used for
// signing in only.
func (c Connection) Pool(admin aws.CredentialsProvider) (*Pool, error) {
	id, err := c.Outputs.Get(OutputPool)
	if err != nil {
		return nil, err
	}
	clientID, err := c.Outputs.Get(OutputClient)
	if err != nil {
		return nil, err
	}
	if c.Credentials != nil {
		admin = StaticCredentials(c.Credentials.AccessKeyID, c.Credentials.SecretAccessKey)
	}
	return NewPool(PoolOptions{ID: id, ClientID: clientID, Endpoint: c.Endpoint, Credentials: admin}), nil
}

// Client returns a client of the lake's API that uses the given user's tokens.
func (c Connection) Client(token TokenSource) (*Client, error) {
	api, err := c.Outputs.Get(OutputAPI)
	if err != nil {
		return nil, err
	}
	return New(api, token)
}
