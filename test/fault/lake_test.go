// Package fault proves the lake's promise on the whole lake, run from its committed
// templates, with some settings of staging changed (see templates): a message that was
// answered 201 is kept and can be found, one that was not can be sent again, and neither
// makes a second copy, whatever goes wrong at whichever call or delivery, and whenever
// the whole lake is killed.
//
// The default run is a short form. The full run is started with
//
//	go test ./test/fault -timeout=0 -faults=all -v     # every cell of the matrix
//	go test ./test/fault -faults='parse sns:Publish' -v # the cells with such a name
//	go test ./test/fault -timeout=0 -walk=1h -seed=7 -v # the random walk
//	go test ./test/fault -hostile=10000 -v              # hostile requests
package fault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/client"
	"hl7lake/internal/contract"
	"hl7lake/internal/testing/altered"
	answers "hl7lake/internal/testing/answer"
	"hl7lake/internal/testing/running"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/fault"
	"hl7lake/local/store"
)

const (
	// patience limits every wait for the lake. It is far longer than the lake's slowest
	// way, even on a machine that is busy with other tests.
	patience = 2 * time.Minute
	// timeScale makes ingest's time-out 5 seconds, the steps' 5, the writer's 7.5 and
	// trigger's 22.5. With less, the functions' own reserves of 2 to 5 seconds would be
	// most of it.
	timeScale = 0.25
)

// Flags for a longer run.
var (
	which   = flag.String("faults", "short", "the cells of the fault matrix: short is a sample, all is all; else those whose name matches the expression")
	walkFor = flag.Duration("walk", 4*time.Second, "how long the random walk sends messages")
	seed    = flag.Uint64("seed", 1, "of the random walk, the hostile requests and the sample of the matrix; the same seed makes the same plan")
	hostile = flag.Int("hostile", 500, "how many hostile requests are sent")
)

// lake is a running lake as a test sees it: through its connection only, so that it may
// run in another process.
type lake struct {
	client.Connection
	pool *client.Pool
}

// templates are the committed ones, with some settings of staging changed: an
// institution's share is a few messages, so that others are deferred; what fails is tried
// again from the queue of these as soon and as often as a test can wait for; and many are
// at once, since one cell's failures hold a place each.
func templates(t *testing.T) string {
	t.Helper()
	return altered.Templates(t, "../snapshots/dev",
		altered.Change{Stack: "StagingER7", Of: altered.Function("lambdas/trigger"), How: altered.Variables(map[string]string{
			contract.EnvOwnerPerSecond: "5", contract.EnvOwnerBurst: "10",
		})},
		altered.Change{Stack: "StagingER7", Of: altered.Resource("AWS::SQS::Queue", "TriggerDeferred"), How: func(properties map[string]any) {
			properties["VisibilityTimeout"] = limits()["trigger"].Seconds()
			properties["RedrivePolicy"].(map[string]any)["maxReceiveCount"] = 3
		}},
		altered.Change{Stack: "StagingER7", Of: altered.Resource("AWS::Lambda::EventSourceMapping", ""), How: func(properties map[string]any) {
			properties["ScalingConfig"] = map[string]any{"MaximumConcurrency": 2 * inFlight}
		}},
	)
}

// start runs such templates, with what goes wrong, until the test ends.
func start(t *testing.T, plan fault.Plan) (*lake, *local.Lake) {
	t.Helper()
	return startWith(t, local.Options{Dir: t.TempDir(), Assembly: templates(t)}, plan)
}

// startWith runs a lake with the options, with what goes wrong, until the test ends.
func startWith(t *testing.T, o local.Options, plan fault.Plan) (*lake, *local.Lake) {
	t.Helper()
	o.Addr, o.Durability = "127.0.0.1:0", store.Fleeting
	started, connection := running.Lake(t, o, testbed.Options{Faults: plan, TimeScale: timeScale})
	return join(t, connection), started
}

func join(t *testing.T, connection client.Connection) *lake {
	t.Helper()
	pool, err := connection.Pool(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &lake{connection, pool}
}

// sender is a user who may write and read for one institution.
type sender struct {
	owner string
	token client.TokenSource
	lake  *client.Client
}

// sender makes a user of an institution.
func (l *lake) sender(ctx context.Context, owner string) (sender, error) {
	user := client.User{Email: owner + "@example.org", Read: client.Institutions{owner}, Write: owner}
	password := client.NewPassword()
	if err := l.pool.Add(ctx, user, password); err != nil {
		return sender{}, err
	}
	tokens := l.pool.SignIn(user.Email, password)
	c, err := l.Client(tokens)
	return sender{owner, tokens, c}, err
}

// answer is what a sender was told about one request: a status, or why there is none.
type answer struct {
	Status     int
	ID         string
	RetryAfter string
	Body       string
	Err        string
}

// post sends a message once, as an interface engine does.
func (l *lake) post(ctx context.Context, s sender, body []byte) answer {
	return l.request(ctx, s, http.MethodPost, "/er7", "application/hl7-v2", body)
}

// get fetches a path once.
func (l *lake) get(ctx context.Context, s sender, path string) answer {
	return l.request(ctx, s, http.MethodGet, path, "", nil)
}

// request sends one request, without any retry that the ledger does not see.
func (l *lake) request(ctx context.Context, s sender, method, path, contentType string, body []byte) answer {
	token, err := s.token(ctx)
	if err != nil {
		return answer{Err: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, method, l.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return answer{Err: err.Error()}
	}
	request.Header.Set("Authorization", token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return answer{Err: err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{Err: err.Error()}
	}
	told := answer{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After"), Body: string(text)}
	var known struct{ ID string }
	if json.Unmarshal(text, &known) == nil {
		told.ID = known.ID
	}
	return told
}

// config returns an AWS SDK's configuration with the rights of the account's root. It
// reads whole answers, because letters in a lost answer stay hidden from the next
// attempt.
func (l *lake) config() aws.Config {
	return aws.Config{
		HTTPClient: answers.Whole{},
		Region:     "us-east-1", BaseEndpoint: aws.String(l.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(l.Credentials.AccessKeyID, l.Credentials.SecretAccessKey, ""),
	}
}

func (l *lake) s3() *s3.Client             { return s3.NewFromConfig(l.config()) }
func (l *lake) dynamodb() *dynamodb.Client { return dynamodb.NewFromConfig(l.config()) }
func (l *lake) sqs() *sqs.Client           { return sqs.NewFromConfig(l.config()) }

// programs are the functions' programs (ingest, writer…) by the functions' names.
func programs(t *testing.T) map[string]string {
	t.Helper()
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, function := range assembly.OfType("AWS::Lambda::Function") {
		if path, ours := function.Metadata[contract.PackageMetadata].(string); ours {
			names[function.PhysicalID] = path[len("lambdas/"):]
		}
	}
	return names
}
