package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/local/cloudformation"
	"hl7lake/local/cloudwatchlogs"
	"hl7lake/local/cognito"
	"hl7lake/local/dynamodb"
	"hl7lake/local/edge"
	"hl7lake/local/fault"
	"hl7lake/local/httpapi"
	"hl7lake/local/iam"
	"hl7lake/local/identity"
	"hl7lake/local/kms"
	"hl7lake/local/lambda"
	"hl7lake/local/s3"
	"hl7lake/local/schedule"
	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/states"
	"hl7lake/local/store"
	"hl7lake/local/sts"
	"hl7lake/local/template"
)

// snapshots is where the committed templates of the dev environment lie,
// relative to the module's root.
const snapshots = "test/snapshots/dev"

// How the functions are run: more instances than processors, since most of a
// function's time is waiting for a service; retries after seconds instead of
// AWS's minutes, since somebody is watching.
const (
	concurrency = 16
	idleAfter   = time.Minute
	retryDelay  = time.Second
)

// GCPercent is for debug.SetGCPercent in a process that is there to run a lake. A
// lake uses a few megabytes: to let five times that lie is no burden on a machine,
// and a seventh of the lake's processor time is.
const GCPercent = 400

// Options say what to run and where to keep it.
type Options struct {
	// Assembly is a folder of templates: cdk.out, or one with
	// <stack>.template.json files. Empty: the committed snapshots of dev.
	Assembly string
	// Overlay is a file for `go build -overlay`: the functions are built with the
	// files that it puts in place of others, as they may be in time to come.
	// Empty: as they are. Only for tests.
	Overlay string
	// Dir is the data folder, made where there is none.
	Dir string
	// Addr is the loopback address to listen on; port 0 takes any that is free.
	Addr string
	// EventsPerInstance is how many events an instance of a function handles at
	// once: one where it is 0 or 1, as on AWS by default; more as on Lambda
	// Managed Instances, which takes far less of the machine.
	EventsPerInstance int
	// Durability says whether what is acknowledged survives a crash of the
	// machine.
	Durability store.Durability
	// Faults say what goes wrong on purpose. nil: nothing.
	Faults fault.Plan
	// TimeScale multiplies the time-outs of the templates: of functions, of the
	// workflow and its tasks, of the API's integrations, of queues that say one. 0 stands for 1. It lets
	// a test wait for a time-out in a fraction of the time. What a function keeps
	// back of its time for itself is in its own code and is not scaled, so a
	// scale that leaves a function little more than that changes what it does.
	TimeScale float64
	// Log gets what the local services themselves have to say. What the
	// functions log goes to <Dir>/logs. nil: nowhere.
	Log *slog.Logger
}

// Lake is a running assembly. It is safe for concurrent use.
type Lake struct {
	options  Options
	url      string
	assembly *template.Assembly
	programs map[string]string // of the functions, by package
	notRun   []LeftOut
	sources  []string // ARNs of the queues that feed functions

	keys     *keyring
	policies *iam.Engine
	store    *store.Store
	logs     *logFolder
	dynamodb *dynamodb.Service
	s3       *s3.Service
	sns      *sns.Service
	sqs      *sqs.Service
	lambda   *lambda.Service
	states   *states.Service
	cognito  *cognito.Service
	api      *httpapi.Service
	identity *identity.Service
	schedule *schedule.Service
	faults   *fault.Injector
	metering *metering

	server  *http.Server
	serving sync.WaitGroup
	failed  chan error // why serving ended, if it was not Close
	close   sync.Once
}

// Start runs an assembly until Close. It returns when every service answers.
// The errors are for people: a port or data folder in use, a template that asks
// for what is not run here, a function that does not build. ctx bounds the
// start only.
func Start(ctx context.Context, o Options) (*Lake, error) {
	root, err := moduleRoot(".")
	if err != nil {
		return nil, err
	}
	assembly, err := template.Load(cmp.Or(o.Assembly, filepath.Join(root, snapshots)))
	if err != nil {
		return nil, err
	}
	programs, err := build(ctx, root, o, packagesOf(assembly))
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, o.Addr) // first: a port in use leaves no folder
	if err != nil {
		return nil, err
	}
	if err := prepareFolder(o.Dir); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	l, err := open(o, assembly, "http://"+listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := l.start(listener, programs); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// start provisions what the templates ask for, then serves it, then takes up
// what an earlier run left to do.
func (l *Lake) start(listener net.Listener, programs map[string]string) error {
	l.programs = programs
	if err := l.provision(); err != nil {
		return errors.Join(err, listener.Close())
	}
	api, err := l.theAPI()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := l.serve(listener, api); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := l.lambda.Start(); err != nil {
		return err
	}
	l.schedule.Start()
	return nil
}

// theAPI is what serves the one HTTP API that a single port can stand for.
func (l *Lake) theAPI() (http.Handler, error) {
	switch apis := l.assembly.OfType("AWS::ApiGatewayV2::Api"); len(apis) {
	case 0:
		return http.NotFoundHandler(), nil
	case 1:
		return l.api.Handler(apis[0].PhysicalID), nil
	default:
		return nil, apis[1].Fail("", errors.New("a second HTTP API is not run by the local lake"))
	}
}

// listen takes the address, which only this machine can reach.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("the address %s: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the address %s is not of the loopback interface: the local lake serves this machine only, use 127.0.0.1", addr)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %s is in use, perhaps by another lake: stop that one, or choose another port", port)
	}
	return listener, err
}

// open makes the services, which are empty but for what the data folder holds.
func open(o Options, assembly *template.Assembly, url string) (*Lake, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	kept, err := store.Open(filepath.Join(o.Dir, database), o.Durability)
	if err != nil {
		return nil, fmt.Errorf("the data folder %s: %w", o.Dir, err)
	}
	l := &Lake{
		options: o, url: url, assembly: assembly, store: kept, failed: make(chan error, 1),
		policies: iam.New(), logs: newLogFolder(filepath.Join(o.Dir, "logs")),
		faults: fault.NewInjector(o.Faults), metering: newMetering(),
	}
	if l.keys, err = newKeyring(kept); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	l.dynamodb = dynamodb.New(kept, l.policies.Authorize, dynamodb.WithConsumed(l.metering.dynamodb))
	l.s3, err = s3.New(filepath.Join(o.Dir, "s3"), kept, l.policies.Authorize)
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	l.cognito = cognito.New(kept, l.policies.Authorize)
	l.identity = identity.New(identity.Config{Claims: l.cognito.IDClaims, SignedIn: l.cognito.SignedIn, Federate: l.policies.Federate, Session: l.keys.session})
	l.sqs = sqs.New(kept, l.policies.Authorize, url, sqs.WithRequested(l.metering.sqs))
	l.lambda = lambda.New(lambda.Config{
		Store: kept, Authorize: l.policies.Authorize, Endpoint: url,
		Credentials: l.keys.of, Undelivered: l.undelivered, Queues: queues{l.sqs}, Output: l.logs.of,
		Concurrency: max(concurrency, o.EventsPerInstance), EventsPerInstance: o.EventsPerInstance, IdleAfter: idleAfter, RetryDelay: retryDelay,
		TimeScale: o.TimeScale, Faults: l.faults, Handled: l.metering.lambda,
	})
	l.sns = sns.New(l.policies.Authorize, sns.Subscribers{Function: l.deliverToFunction, Queue: l.sqs.Send, Faults: l.faults},
		sns.WithPublished(l.metering.sns))
	l.schedule = schedule.New(l.deliverToFunction, o.Log)
	l.states = states.New(l.policies.Authorize, l.lambda)
	l.api = httpapi.New(l.lambda, l.cognito.Keys)
	return l, nil
}

func (l *Lake) serve(listener net.Listener, api http.Handler) error {
	groups, err := l.logGroups()
	if err != nil {
		return err
	}
	keys, err := l.kmsKeys()
	if err != nil {
		return err
	}
	gateway := &gateway{
		keys: l.keys, runtime: l.lambda.Runtime(), cognito: l.cognito, identity: l.identity, api: l.metering.api(api, l.accessLine()), isPool: l.poolPaths(),
		faults: l.faults, process: l.lambda.Process,
		services: map[string]http.Handler{
			"dynamodb": l.dynamodb, "s3": l.metering.s3(l.s3), "sns": l.sns, "sqs": l.sqs,
			"lambda": l.lambda, "states": l.metering.states(l.states), "cognito-idp": l.cognito, "cognito-identity": l.identity, "sts": sts.New(),
			"cloudformation": cloudformation.New(l.assembly, l.Outputs, l.policies.Authorize),
			"logs":           cloudwatchlogs.New(groups, l.policies.Authorize), "kms": kms.New(keys, l.policies.Authorize),
		},
	}
	l.server = &http.Server{Handler: gateway, ErrorLog: slog.NewLogLogger(l.options.Log.Handler(), slog.LevelWarn)}
	l.serving.Go(func() {
		if err := edge.Serve(l.server, listener); !errors.Is(err, http.ErrServerClosed) {
			l.failed <- err
		}
	})
	return nil
}

// poolPaths returns what tells whether a path is below /<user pool id>/. The
// pools are looked up once: every request to the HTTP API is asked about.
func (l *Lake) poolPaths() func(path string) bool {
	pools := map[string]bool{}
	for _, pool := range l.assembly.OfType("AWS::Cognito::UserPool") {
		pools[pool.PhysicalID] = true
	}
	return func(path string) bool {
		id, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return pools[id]
	}
}

// deliverToFunction is how a topic or a rule hands a function something: as an
// asynchronous event.
func (l *Lake) deliverToFunction(ctx context.Context, functionARN string, payload []byte) error {
	return l.lambda.InvokeAsync(ctx, lambda.Event{FunctionARN: functionARN, Payload: payload})
}

// undelivered takes what a function's attempts all failed on to where the
// template says.
func (l *Lake) undelivered(ctx context.Context, target, body string, attributes map[string]string) error {
	if !strings.HasPrefix(target, "arn:aws:sqs:") {
		return fmt.Errorf("failed events to %s are not run by the local lake", target)
	}
	return l.sqs.Send(ctx, target, body, attributes)
}

// URL is the endpoint of the HTTP API and, for AWS_ENDPOINT_URL, of every AWS
// service that is run.
func (l *Lake) URL() string { return l.url }

// Outputs are the stacks' outputs, as `cdk deploy --outputs-file` writes them:
// stack name, output name, value. The addresses of the HTTP API and of the sign-in
// pages are those on this machine.
func (l *Lake) Outputs() (map[string]map[string]string, error) {
	outputs, err := l.assembly.Outputs()
	if err != nil {
		return nil, err
	}
	for _, api := range l.assembly.OfType("AWS::ApiGatewayV2::Api") {
		for _, stack := range outputs {
			for name, value := range stack {
				if rest, is := strings.CutPrefix(value, api.Attributes["ApiEndpoint"]); is {
					stack[name] = l.url + rest
				}
			}
		}
	}
	for domain, pool := range l.cognito.Domains() {
		for _, stack := range outputs {
			for name, value := range stack {
				if rest, is := strings.CutPrefix(value, domain); is {
					stack[name] = l.url + "/" + pool + rest
				}
			}
		}
	}
	return outputs, nil
}

// Credentials are those of the account's root, for the AWS CLI and SDKs.
func (l *Lake) Credentials() aws.Credentials { return l.keys.root }

// NotRun lists the resources of the templates that have no counterpart here, and the properties of others that mean
// nothing here.
func (l *Lake) NotRun() []LeftOut { return l.notRun }

// UnusedGrants lists what the templates allow to roles and no call has needed
// since the start, of the services that are run here.
func (l *Lake) UnusedGrants() []iam.Grant {
	return l.policies.Unused("dynamodb", "lambda", "s3", "sns", "sqs", "states")
}

// Pending counts what functions are still to be given, or have not answered: the
// asynchronous events, which are deliveries of a topic, and the messages in the queues
// that feed functions. Zero means that all that was set off has come to its end.
func (l *Lake) Pending() (int, error) {
	waiting, err := l.waiting()
	if err != nil {
		return 0, err
	}
	events, err := l.lambda.Pending()
	return waiting + events, err
}

// Wait returns when ctx ends, or with the reason when serving ends by itself.
func (l *Lake) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

// Close stops every function and service, waits until all are gone and leaves
// the data folder ready for the next start.
func (l *Lake) Close() (err error) {
	l.close.Do(func() {
		l.faults.Close()
		l.schedule.Close()
		l.states.Close()
		l.lambda.Close()
		if l.server != nil {
			err = l.server.Close()
		}
		l.serving.Wait()
		err = errors.Join(err, l.store.Close(), l.logs.close())
	})
	return err
}
