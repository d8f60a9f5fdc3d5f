package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"hl7lake/client"
)

// access says which lake a command talks to, and as which user.
type access struct {
	dir     string // the folder of a lake on this machine
	outputs string // the file with the outputs of deployed stacks
	url     string // the address of the API only
	user    string // an e-mail address, or the part before its @
	token   string
}

// connectionFile is the file in which `lake up` leaves what the other commands need.
const connectionFile = "connection.json"

const defaultDir = ".lake"

// placeFlags adds the flags that say which lake.
func (p *program) placeFlags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&p.access.dir, "dir", defaultDir, "data `folder` of a lake on this machine")
	flags.StringVar(&p.access.outputs, "outputs", "", "`file` with a deployed lake's outputs (cdk deploy --outputs-file)")
	cmd.MarkFlagsMutuallyExclusive("dir", "outputs")
}

// userFlags adds the flags that say which lake and which user.
func (p *program) userFlags(cmd *cobra.Command) {
	p.placeFlags(cmd)
	flags := cmd.PersistentFlags()
	flags.StringVar(&p.access.url, "url", "", "`address` of a deployed lake's API; needs a token")
	flags.StringVarP(&p.access.user, "user", "u", "", "sign in as this `user`; the password is in LAKE_PASSWORD or asked for")
	flags.StringVar(&p.access.token, "token", "", "`ID token` instead of signing in; LAKE_TOKEN keeps it out of the process list")
	cmd.MarkFlagsMutuallyExclusive("dir", "url")
	cmd.MarkFlagsMutuallyExclusive("outputs", "url")
	cmd.MarkFlagsMutuallyExclusive("user", "token")
}

// connection finds the lake.
func (p *program) connection() (client.Connection, error) {
	switch {
	case p.access.url != "":
		return client.Connection{Outputs: client.Outputs{"": {client.OutputAPI: p.access.url}}}, nil
	case p.access.outputs != "":
		outputs, err := client.ReadOutputs(p.access.outputs)
		if err != nil {
			return client.Connection{}, err
		}
		endpoint, err := configuredEndpoint()
		return client.Connection{Outputs: outputs, Endpoint: endpoint}, err
	}
	connection, err := client.ReadConnection(filepath.Join(p.access.dir, connectionFile))
	if missing(err) {
		return connection, &hintError{
			err:  fmt.Errorf("there is no lake in %s", p.access.dir),
			hint: fmt.Sprintf("`%s up` starts one here; --outputs FILE names a deployed one.", p.name),
		}
	}
	return connection, err
}

// client returns a client of the lake's API for the named user.
func (p *program) client() (*client.Client, error) {
	connection, err := p.connection()
	if err != nil {
		return nil, err
	}
	token, err := p.tokenSource(connection)
	if err != nil {
		return nil, err
	}
	return connection.Client(token)
}

// senderKey names the lake and the sender, for the journal of what was sent.
func (p *program) senderKey() (string, error) {
	connection, err := p.connection()
	if err != nil {
		return "", err
	}
	api, err := connection.Outputs.Get(client.OutputAPI)
	if err != nil {
		return "", err
	}
	who := p.access.user
	if account, ok := connection.Account(who); ok {
		who = account.Email
	}
	if token := cmp.Or(p.access.token, p.getenv("LAKE_TOKEN")); token != "" && p.access.user == "" {
		claims := client.ReadClaims(token)
		who = cmp.Or(claims.Write, claims.Scope)
	}
	return api + " " + who, nil
}

// tokenSource signs the user in: with a token, as an account that the lake was started
// with, or with a password. Without a name it uses the first account.
func (p *program) tokenSource(connection client.Connection) (client.TokenSource, error) {
	if p.access.token != "" {
		return client.Token(p.access.token), nil
	}
	if token := p.getenv("LAKE_TOKEN"); token != "" && p.access.user == "" {
		return client.Token(token), nil
	}
	user, password := p.access.user, ""
	if account, ok := connection.Account(user); ok {
		user, password = account.Email, account.Password
	}
	if user == "" {
		return nil, &hintError{
			err:  errors.New("no user is named"),
			hint: "--user NAME signs in with a password; LAKE_TOKEN or --token takes an ID token.",
		}
	}
	pool, err := connection.Pool(nil)
	if err != nil {
		return nil, err
	}
	if password = cmp.Or(p.getenv("LAKE_PASSWORD"), password); password == "" {
		if password, err = p.askPassword("Password of " + user); err != nil {
			return nil, err
		}
	}
	return pool.SignIn(user, password), nil
}

// askPassword reads a password.
func (p *program) askPassword(prompt string) (string, error) {
	password, err := p.askSecret(prompt)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if password == "" {
		return "", &hintError{
			err:  errors.New("no password"),
			hint: "Put it on standard input or into LAKE_PASSWORD, or call this on a terminal.",
		}
	}
	return password, nil
}

// askSecret reads a line of standard input. On a terminal it does not show what is typed.
func (p *program) askSecret(prompt string) (string, error) {
	if file, ok := p.in.(*os.File); ok && xterm.IsTerminal(int(file.Fd())) {
		fmt.Fprint(p.err, prompt+": ")
		typed, err := xterm.ReadPassword(int(file.Fd()))
		fmt.Fprintln(p.err)
		return string(typed), err
	}
	line, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// pool returns the user pool with credentials to change it: those of the lake on this
// machine, or of the AWS environment.
func (p *program) pool(ctx context.Context) (*client.Pool, error) {
	connection, err := p.connection()
	if err != nil {
		return nil, err
	}
	// Report outputs without a pool before looking for credentials.
	if pool, err := connection.Pool(nil); err != nil || connection.Credentials != nil {
		return pool, err
	}
	configuration, err := awsConfiguration(ctx, "administer the user pool")
	if err != nil {
		return nil, err
	}
	return connection.Pool(configuration.Credentials)
}
