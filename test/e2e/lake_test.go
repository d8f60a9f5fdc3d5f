// Package e2e checks the whole lake, run from its committed templates, against its
// promises: the demo's scenario, every answer of the API, and what many senders at once
// or an interrupted sender must never cause. The functions are the real programs, and the
// services are called over their wire protocols.
package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/running"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/fault"
	"hl7lake/local/store"
)

// patience limits every wait of a test. It is much longer than any step takes, even on a
// machine that is busy with other tests.
var patience = flag.Duration("patience", time.Minute, "the longest that a test waits for something to happen")

// lake is a lake that runs for one test.
type lake struct {
	*local.Lake
	connection client.Connection
	pool       *client.Pool
}

// start runs the committed templates until the test ends. Tests with a lake of their own
// run in parallel, because most of their time is waiting for retries.
func start(t *testing.T) *lake {
	t.Helper()
	t.Parallel()
	return startWith(t, local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting})
}

// startFaulty is startWith for a lake of its own in which something goes wrong.
func startFaulty(t *testing.T, plan fault.Plan) *lake {
	t.Helper()
	o := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	return startWith(t, o, testbed.Options{Faults: plan})
}

// startWith runs a lake with the options until the test ends.
func startWith(t *testing.T, o local.Options, tests ...testbed.Options) *lake {
	t.Helper()
	l := &lake{}
	l.Lake, l.connection = running.Lake(t, o, tests...)
	var err error
	if l.pool, err = l.connection.Pool(nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// user creates a user and returns a source of the user's tokens.
func (l *lake) user(t *testing.T, u client.User) client.TokenSource {
	t.Helper()
	password := client.NewPassword()
	if err := l.pool.Add(t.Context(), u, password); err != nil {
		t.Fatal(err)
	}
	return l.pool.SignIn(u.Email, password)
}

// admin creates a user who may read and write for the scenario's institution.
func (l *lake) admin(t *testing.T) client.TokenSource {
	t.Helper()
	return l.user(t, client.User{Email: "admin@example.org", Read: client.Institutions{scenario.Institution}, Write: scenario.Institution})
}

// client returns the API as the user of the tokens sees it.
func (l *lake) client(t *testing.T, tokens client.TokenSource) *client.Client {
	t.Helper()
	c, err := l.connection.Client(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lake) output(t *testing.T, name string) string {
	t.Helper()
	value, err := l.connection.Outputs.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// request is a request to the API as it is sent.
type request struct {
	method, path, contentType string
	token                     string // the Authorization header; empty sends none
	body                      []byte
}

// response is what came back.
type response struct {
	status int
	header http.Header
	body   string
}

func (l *lake) do(ctx context.Context, r request) (response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, l.URL()+r.path, bytes.NewReader(r.body))
	if err != nil {
		return response{}, err
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.token != "" {
		req.Header.Set("Authorization", r.token)
	}
	answer, err := http.DefaultTransport.RoundTrip(req) // the test must see redirects and retries
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, string(body)}, err
}

// mustDo is do for a request that must be answered.
func (l *lake) mustDo(t *testing.T, r request) response {
	t.Helper()
	answer, err := l.do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func token(t *testing.T, tokens client.TokenSource) string {
	t.Helper()
	text, err := tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// config returns an AWS SDK's configuration with the rights of the account's root.
func (l *lake) config() aws.Config {
	key := l.Credentials()
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(l.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, key.SessionToken),
	}
}

func (l *lake) s3() *s3.Client             { return s3.NewFromConfig(l.config()) }
func (l *lake) dynamodb() *dynamodb.Client { return dynamodb.NewFromConfig(l.config()) }
func (l *lake) lambda() *awslambda.Client  { return awslambda.NewFromConfig(l.config()) }

// keys lists the lake's objects in a zone.
func (l *lake) keys(t *testing.T, zone client.Zone) (keys []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(l.s3(), &s3.ListObjectsV2Input{
		Bucket: aws.String(l.output(t, client.OutputLake)), Prefix: aws.String(string(zone) + "/"),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
	}
	return keys
}

// ended waits until the message has ended.
func ended(t *testing.T, c *client.Client, id string) client.History {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *patience)
	defer cancel()
	history, err := c.Wait(ctx, id)
	if err != nil {
		t.Fatalf("message %s: %v", id, err)
	}
	return history
}
