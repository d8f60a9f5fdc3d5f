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

	"hl7lake/internal/testing/testbed"
	"hl7lake/local/cognito"
	"hl7lake/local/edge"
	"hl7lake/local/fault"
	"hl7lake/local/iam"
	"hl7lake/local/lambda"
	"hl7lake/local/sqs"
	"hl7lake/local/store"
	"hl7lake/local/template"
)

// snapshots is the folder of the committed templates of the dev environment, relative to
// the module's root.
const snapshots = "test/snapshots/dev"

// How the functions are run: more instances than processors, because a function mostly
// waits for services, and retries after seconds instead of AWS's minutes, because
// somebody is watching.
const (
	concurrency = 16
	idleAfter   = time.Minute
	retryDelay  = time.Second
)

// GCPercent is for debug.SetGCPercent in a process that only runs a lake. A lake uses a
// few megabytes. A machine can easily keep five times that as garbage, which saves a
// seventh of the lake's processor time.
const GCPercent = 400

// Options say what to run and where to keep it.
type Options struct {
	// Assembly is a folder of templates: cdk.out, or one with <stack>.template.json
	// files. If empty, it is the committed snapshots of dev.
	Assembly string
	// Dir is the data folder. It is created if necessary.
	Dir string
	// Addr is the loopback address to listen on; port 0 takes any that is free.
	Addr string
	// EventsPerInstance is how many events an instance of a function handles at once. 0
	// and 1 mean one, the default on AWS. More is as on Lambda Managed Instances, and
	// uses far less of the machine.
	EventsPerInstance int
	// Durability says whether acknowledged data survives a crash of the machine.
	Durability store.Durability
	// Log gets what the local services themselves report. What the functions log goes to
	// <Dir>/logs. If nil, there is no such log.
	Log *slog.Logger
}

// Lake is a running assembly. It is safe for concurrent use.
type Lake struct {
	options  Options
	tests    testbed.Options
	url      string
	assembly *template.Assembly
	programs map[string]string // of the functions, by package
	notRun   []LeftOut

	keys       *keyring
	policies   *iam.Engine
	store      *store.Store
	logs       *logFolder
	faults     *fault.Injector
	metering   *metering
	accessLine int // bytes that an API's access log has for a request
	services   []Service
	sqs        *sqs.Service // these three are among the services
	lambda     *lambda.Service
	cognito    *cognito.Service

	server  *http.Server
	serving sync.WaitGroup
	failed  chan error // why serving ended, if not because of Close
	close   sync.Once
}

// Start runs an assembly until Close. It returns when every service answers.
// The errors are for people: a port or data folder in use, a template that asks
// for what is not run here, a function that does not build. ctx bounds the
// start only. What only a test asks for comes in tests.
func Start(ctx context.Context, o Options, tests ...testbed.Options) (*Lake, error) {
	root, err := moduleRoot(".")
	if err != nil {
		return nil, err
	}
	assembly, err := Load(cmp.Or(o.Assembly, filepath.Join(root, snapshots)))
	if err != nil {
		return nil, err
	}
	l := newLake(o, tests)
	if l.programs, err = build(ctx, root, o.Dir, l.tests.Overlay, packagesOf(assembly)); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, o.Addr) // first, so that a port in use leaves no folder
	if err != nil {
		return nil, err
	}
	if err := prepareFolder(o.Dir); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	l.url, l.assembly, l.accessLine = "http://"+listener.Addr().String(), assembly, accessLineOf(assembly)
	if err := relocate(assembly, l.url); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := l.start(listener); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// newLake returns a lake without anything in it.
func newLake(o Options, tests []testbed.Options) *Lake {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Lake{
		options: o, policies: iam.New(), logs: newLogFolder(filepath.Join(o.Dir, "logs")), metering: &metering{},
		failed: make(chan error, 1),
	}
	if len(tests) > 0 {
		l.tests = tests[0]
	}
	l.tests.TimeScale = cmp.Or(l.tests.TimeScale, 1)
	l.faults = fault.NewInjector(l.tests.Faults)
	return l
}

// open opens the store and makes the services, which are empty except for what the data
// folder holds.
func (l *Lake) open() (err error) {
	l.store, err = store.Open(filepath.Join(l.options.Dir, database), l.options.Durability)
	if err != nil {
		return err
	}
	if l.keys, err = newKeyring(l.store); err != nil {
		return errors.Join(err, l.store.Close())
	}
	l.register()
	return nil
}

// start provisions what the templates ask for, then serves it, then takes up unfinished
// work of an earlier run.
func (l *Lake) start(listener net.Listener) error {
	if err := l.provision(); err != nil {
		return errors.Join(err, listener.Close())
	}
	l.serve(listener)
	return l.startServices()
}

func (l *Lake) serve(listener net.Listener) {
	l.server = &http.Server{Handler: edge.Handler(l.gateway()), ErrorLog: slog.NewLogLogger(l.options.Log.Handler(), slog.LevelWarn)}
	l.serving.Go(func() {
		if err := l.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.failed <- err
		}
	})
}

// listen opens the address, which only this machine can reach.
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

// deliverToFunction is how a topic or a rule delivers to a function: as an asynchronous
// event.
func (l *Lake) deliverToFunction(ctx context.Context, functionARN string, payload []byte) error {
	return l.lambda.InvokeAsync(ctx, lambda.Event{FunctionARN: functionARN, Payload: payload})
}

// undelivered takes an event on which all of a function's attempts failed where the
// template says.
func (l *Lake) undelivered(ctx context.Context, target, body string, attributes map[string]string) error {
	if !strings.HasPrefix(target, "arn:aws:sqs:") {
		return fmt.Errorf("failed events to %s are not run by the local lake", target)
	}
	return l.sqs.Send(ctx, target, body, attributes)
}

// URL returns the endpoint of the HTTP API and, for AWS_ENDPOINT_URL, of every AWS
// service that is run.
func (l *Lake) URL() string { return l.url }

// Outputs returns the stacks' outputs, as `cdk deploy --outputs-file` writes them: by
// stack name, then by output name. The addresses of the HTTP API and of the sign-in pages
// are those on this machine.
func (l *Lake) Outputs() (map[string]map[string]string, error) { return l.assembly.Outputs() }

// Credentials returns those of the account's root, for the AWS CLI and SDKs.
func (l *Lake) Credentials() aws.Credentials { return l.keys.root }

// NotRun lists the templates' resources that have no counterpart here, and the properties
// of others that mean nothing here.
func (l *Lake) NotRun() []LeftOut { return l.notRun }

// stacks are those of the templates.
func (l *Lake) stacks() []*template.Stack { return l.assembly.Stacks }

// UnusedGrants lists what the templates allow to roles and no call has needed since the
// start, for the services that are run here.
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

// Wait returns when ctx ends, or with the reason if serving ends by itself.
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
		l.closeServices()
		if l.server != nil {
			err = l.server.Close()
		}
		l.serving.Wait()
		err = errors.Join(err, l.store.Close(), l.logs.close())
	})
	return err
}
