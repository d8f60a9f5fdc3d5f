// Package acceptance tests a deployed lake from outside, as its users and its operator
// see it. It creates users of an institution of its own, sends synthetic messages,
// follows each of them, and removes the users again. The messages stay, because a lake
// never gives up what it has accepted.
//
// No report holds content, a password or a token.
package acceptance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"hl7lake/client"
	"hl7lake/operate"
)

// Outcome is the result of a step.
type Outcome string

// The outcomes of a step.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped" // it cannot be tested here; the reason says why
)

// Step is one test of the lake.
type Step struct {
	Name    string        `json:"name"`
	Outcome Outcome       `json:"outcome"`
	Took    time.Duration `json:"took_ns"`
	Reason  string        `json:"reason,omitempty"` // why it failed or was skipped
}

// Object is one object that the check left in the lake.
type Object struct {
	ID     string `json:"id"` // the id of the message that it was made from
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Report is the result of a whole check.
type Report struct {
	Institution string   `json:"institution"` // the institution that the check made
	Steps       []Step   `json:"steps"`
	Messages    []string `json:"messages"` // the ids of all messages that the lake accepted, and keeps
	Objects     []Object `json:"objects"`  // what the lake made of them, as far as the check saw it
}

// Count returns how many steps had the outcome.
func (r Report) Count(o Outcome) (n int) {
	for _, step := range r.Steps {
		if step.Outcome == o {
			n++
		}
	}
	return n
}

// Good reports whether at least one step passed and none failed.
func (r Report) Good() bool { return r.Count(Passed) > 0 && r.Count(Failed) == 0 }

// cleanup is how long removing the users may take, also after an interruption.
const cleanup = 30 * time.Second

// skipped is the reason why a step was not run.
type skipped string

func (s skipped) Error() string { return string(s) }

// notLocal is the reason if a lake on one machine lacks a service.
const notLocal = skipped("not run by the local lake")

type check struct {
	connection    client.Connection
	configuration aws.Config
	pool          *client.Pool
	http          *http.Client
	report        Report
	progress      func(Step)
	users         []client.User // the users that were made, to be removed
	clients       map[string]*client.Client
	tokens        map[string]client.TokenSource
	staged        client.History // the id of the admission
}

// Run checks the lake that the connection leads to, with the administrator's credentials
// in configuration. A lake on one machine brings its own. Run calls progress with each
// step when it ends; progress may be nil. When ctx ends, the remaining steps fail, and
// the users are still removed. Run returns an error only if the connection cannot be
// used, before any step ran.
func Run(ctx context.Context, connection client.Connection, configuration aws.Config, progress func(Step)) (Report, error) {
	pool, err := connection.Pool(configuration.Credentials)
	if err != nil {
		return Report{}, err
	}
	if configuration.Region, err = connection.Region(); err != nil {
		return Report{}, err
	}
	if _, err := connection.Outputs.Get(client.OutputAPI); err != nil {
		return Report{}, err
	}
	if connection.Endpoint != "" {
		configuration.BaseEndpoint = &connection.Endpoint
	}
	if key := connection.Credentials; key != nil {
		configuration.Credentials = client.StaticCredentials(key.AccessKeyID, key.SecretAccessKey)
	}
	if progress == nil {
		progress = func(Step) {}
	}
	c := &check{
		connection: connection, configuration: configuration, pool: pool, progress: progress,
		http:    &http.Client{Timeout: time.Minute},
		clients: map[string]*client.Client{}, tokens: map[string]client.TokenSource{},
		report: Report{Institution: "check-" + random(), Messages: []string{}, Objects: []Object{}},
	}
	c.all(ctx)
	return c.report, nil
}

func random() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}

func (c *check) all(ctx context.Context) {
	c.step(ctx, "make users", c.makeUsers)
	c.access(ctx)
	c.messages(ctx)
	c.refusals(ctx)
	c.step(ctx, "a machine's token is accepted", c.machine)
	c.step(ctx, "identity pool: a reader reads their institution's JSON in S3, a stranger does not", c.identities)
	c.step(ctx, "redrive --dry-run finds no dead letter", c.redrive)
	c.step(ctx, "metrics are seen", c.metrics)

	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	c.step(limited, "remove the users", c.removeUsers)
}

// step runs one step and records its outcome.
func (c *check) step(ctx context.Context, name string, run func(context.Context) error) {
	begin := time.Now()
	err := context.Cause(ctx)
	if err == nil {
		err = run(ctx)
	}
	done := Step{Name: name, Outcome: Passed, Took: time.Since(begin)}
	if err != nil {
		done.Outcome, done.Reason = Failed, told(err)
		if reason, ok := errors.AsType[skipped](err); ok {
			done.Outcome, done.Reason = Skipped, string(reason)
		}
	}
	c.report.Steps = append(c.report.Steps, done)
	c.progress(done)
}

// told returns the error without AWS's text, which can quote the request.
func told(err error) string {
	call, isCall := errors.AsType[*smithy.OperationError](err)
	if !isCall {
		return err.Error()
	}
	if problem, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Sprintf("%s %s: %s", call.Service(), call.Operation(), problem.ErrorCode())
	}
	return fmt.Sprintf("%s %s: no answer", call.Service(), call.Operation())
}

// unlessLocal makes a skip of an error if a lake on one machine does not run the service.
// On AWS, every error stays an error.
func (c *check) unlessLocal(err error) error {
	if c.connection.Endpoint != "" && operate.NotRunLocally(err) {
		return notLocal
	}
	return err
}

// The check's users, named for what they may do.
const (
	both     = "both"
	reader   = "reader"
	writer   = "writer"
	nobody   = "nobody"
	stranger = "stranger" // reads and writes for another institution
)

func (c *check) makeUsers(ctx context.Context) error {
	own := c.report.Institution
	for _, user := range []client.User{
		{Email: both, Read: client.Institutions{own}, Write: own}, {Email: reader, Read: client.Institutions{own}}, {Email: writer, Write: own},
		{Email: nobody}, {Email: stranger, Read: client.Institutions{own + "-other"}, Write: own + "-other"},
	} {
		name := user.Email
		user.Email = name + "@" + own + ".invalid" // a domain that nobody owns (RFC 2606)
		password := client.NewPassword()
		c.users = append(c.users, user) // added before the call, since an interrupted call may have created the user
		if err := c.pool.Add(ctx, user, password); err != nil {
			return err
		}
		c.tokens[name] = c.pool.SignIn(user.Email, password)
		if _, err := c.tokens[name](ctx); err != nil {
			return err
		}
		lake, err := c.connection.Client(c.tokens[name])
		if err != nil {
			return err
		}
		c.clients[name] = lake
	}
	return nil
}

func (c *check) removeUsers(ctx context.Context) error {
	var failures []error
	for _, user := range c.users {
		if err := c.pool.Remove(ctx, user.Email); err != nil && !errors.Is(err, client.ErrNoUser) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// as returns the lake as the named user sees it.
func (c *check) as(name string) (*client.Client, error) {
	lake, ok := c.clients[name]
	if !ok {
		return nil, errors.New("the step needs a user that could not be made")
	}
	return lake, nil
}

func (c *check) left(h client.History) {
	for _, step := range h.Steps {
		object := Object{h.ID, step.Bucket, step.Key}
		if !slices.Contains(c.report.Objects, object) {
			c.report.Objects = append(c.report.Objects, object)
		}
	}
}
