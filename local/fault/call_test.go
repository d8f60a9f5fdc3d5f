package fault_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	localdynamodb "hl7lake/local/dynamodb"
	"hl7lake/local/fault"
	locals3 "hl7lake/local/s3"
	localsns "hl7lake/local/sns"
	"hl7lake/local/states"
	"hl7lake/local/wire"
)

// struck is a service behind an injector.
type struck struct {
	*httptest.Server
	effects, kills atomic.Int32
	points         chan fault.Point
}

// strike serves calls to a service. Those that the plan names fail.
func strike(t *testing.T, service wire.Dialect, plan fault.Plan) *struck {
	t.Helper()
	s := &struck{points: make(chan fault.Point, 100)}
	injector := fault.NewInjector(func(p fault.Point) fault.Fault {
		s.points <- p
		return plan(p)
	})
	by := fault.Process{Function: "f", Run: "1-run", Payload: []byte("event"), Kill: func() { s.kills.Add(1) }}
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) == 0 {
			t.Errorf("the service sees %d bytes: %v", len(body), err)
		}
		s.effects.Add(1)
		w.Header().Set("Effect", "yes")
		w.WriteHeader(http.StatusAccepted)
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		injector.Serve(w, r, service, by, next)
	}))
	t.Cleanup(func() {
		injector.Close()
		s.Close()
	})
	return s
}

func TestEachKindDoesWhatItsNameSays(t *testing.T) {
	const delay = 30 * time.Millisecond
	type outcome struct {
		Status, Effects, Kills int
		Waited                 bool
	}
	for kind, want := range map[fault.Kind]outcome{
		fault.None:       {Status: 202, Effects: 1},
		fault.Fail:       {Status: 500},
		fault.Throttle:   {Status: 400},
		fault.Lose:       {Effects: 1},
		fault.Late:       {Status: 202, Effects: 1, Waited: true},
		fault.Stall:      {Status: 202, Effects: 1, Waited: true},
		fault.Repeat:     {Status: 202, Effects: 2},
		fault.KillBefore: {Kills: 1},
		fault.KillAfter:  {Effects: 1, Kills: 1},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := strike(t, new(localdynamodb.Service).Dialect(), func(fault.Point) fault.Fault { return fault.Fault{Kind: kind, Delay: delay} })
			began := time.Now()
			got := outcome{}
			response, err := http.Post(s.URL, "", strings.NewReader("{}"))
			if err == nil {
				got.Status = response.StatusCode
				response.Body.Close()
			}
			got.Effects, got.Kills = int(s.effects.Load()), int(s.kills.Load())
			got.Waited = time.Since(began) >= delay
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALateCallTakesEffectThoughItsCallerIsGone(t *testing.T) {
	s := strike(t, new(localdynamodb.Service).Dialect(), func(fault.Point) fault.Fault {
		return fault.Fault{Kind: fault.Late, Delay: 50 * time.Millisecond}
	})
	impatient := &http.Client{Timeout: 10 * time.Millisecond}
	if _, err := impatient.Post(s.URL, "", strings.NewReader("{}")); err == nil {
		t.Fatal("answered before the delay was over")
	}
	for range 100 {
		if s.effects.Load() == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("it never took effect")
}

// TestTheSDKUnderstandsRefusalsAndTriesAgain makes the calls that the functions make.
// Each is named as in a policy, and refused in words that its SDK knows.
func TestTheSDKUnderstandsRefusalsAndTriesAgain(t *testing.T) {
	config := func(s *struck) aws.Config {
		return aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
			},
		}
	}
	for _, test := range []struct {
		service interface{ Dialect() wire.Dialect }
		call    string
		do      func(aws.Config) error
	}{
		{new(localdynamodb.Service), "dynamodb:PutItem", func(c aws.Config) error {
			_, err := dynamodb.NewFromConfig(c).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t"), Item: map[string]types.AttributeValue{}})
			return err
		}},
		{new(localsns.Service), "sns:Publish", func(c aws.Config) error {
			_, err := sns.NewFromConfig(c).Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("m")})
			return err
		}},
		{new(locals3.Service), "s3:PutObject", func(c aws.Config) error {
			_, err := s3.NewFromConfig(c).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("body")})
			return err
		}},
		{new(states.Service), "states:StartSyncExecution", func(c aws.Config) error {
			_, err := sfn.NewFromConfig(c).StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: aws.String("m")}, func(o *sfn.Options) {
				o.APIOptions = append(o.APIOptions, literalHost)
			})
			return err
		}},
	} {
		for _, kind := range []fault.Kind{fault.Fail, fault.Throttle} {
			t.Run(test.call+" "+string(kind), func(t *testing.T) {
				s := strike(t, test.service.Dialect(), func(fault.Point) fault.Fault { return fault.Fault{Kind: kind} })
				err := test.do(config(s))
				api := smithy.APIError(nil)
				if !errors.As(err, &api) {
					t.Fatalf("the SDK does not understand the answer: %v", err)
				}
				throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
				if throttled != (kind == fault.Throttle) {
					t.Errorf("the code %s is taken for throttling: %v", api.ErrorCode(), throttled)
				}
				close(s.points)
				call, attempts := "", 0
				for p := range s.points {
					attempts++
					if p.Call != test.call || p.Attempt != attempts || call != "" && p.CallID != call || p.Run != "1-run" {
						t.Errorf("attempt %d came as %+v", attempts, p)
					}
					call = p.CallID
				}
				if attempts != 3 {
					t.Errorf("%d attempts", attempts)
				}
			})
		}
	}
}

// literalHost leaves out the prefix that StartSyncExecution puts before a host.
func literalHost(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LiteralHost",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}

func TestAnInjectorThatIsClosedWaitsForNothing(t *testing.T) {
	injector := fault.NewInjector(func(fault.Point) fault.Fault { return fault.Fault{} })
	injector.Close()
	done := make(chan struct{})
	go func() { injector.Wait(time.Hour); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("still waiting")
	}
}

func TestWithoutAPlanThereIsNoInjector(t *testing.T) {
	injector := fault.NewInjector(nil)
	if injector != nil {
		t.Error("there is one")
	}
	if f := injector.At(fault.Point{}); f != (fault.Fault{}) {
		t.Errorf("%+v", f)
	}
	injector.Close()
}
