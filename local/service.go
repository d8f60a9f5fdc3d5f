package local

import (
	"net/http"
	"path/filepath"

	"hl7lake/local/cloudformation"
	"hl7lake/local/cloudwatchlogs"
	"hl7lake/local/cognito"
	"hl7lake/local/dynamodb"
	"hl7lake/local/httpapi"
	"hl7lake/local/identity"
	"hl7lake/local/kms"
	"hl7lake/local/lambda"
	"hl7lake/local/resource"
	"hl7lake/local/s3"
	"hl7lake/local/schedule"
	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/states"
	"hl7lake/local/sts"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Service is an AWS service as this package knows it. Everything else about it is in its
// folder. A service that answers signed calls is also an http.Handler, and some have the
// interfaces below.
type Service interface {
	// Dialect returns the service's name, and how it words what others refuse for it.
	Dialect() wire.Dialect
	// Resources returns the resource types that it runs, each after those that it needs
	// to find.
	Resources() []resource.Type
}

// unsigned takes some of the requests that nobody signed.
type unsigned interface {
	Service
	// Unsigned returns what serves the request, or nil if it is not for the service.
	Unsigned(r *http.Request) http.Handler
}

// starter has work of its own, which begins when every resource exists and requests are
// answered.
type starter interface {
	Service
	Start() error
}

// closer has work of its own, which has ended when Close returns.
type closer interface {
	Service
	Close()
}

// register makes the services: one line each, after those whose resources it needs to
// find. The last one takes every request that no other takes. They have no resources yet,
// and read nothing from the store.
func (l *Lake) register() {
	authorize, meter, scale := l.policies.Authorize, l.metering, l.tests.TimeScale
	l.sqs = sqs.New(l.store, authorize, l.url, sqs.WithRequested(meter.sqs), sqs.WithTimeScale(scale))
	l.lambda = lambda.New(l.lambdaConfig())
	l.cognito = cognito.New(l.store, authorize)
	l.services = []Service{
		l.policies,
		dynamodb.New(l.store, authorize, dynamodb.WithConsumed(meter.dynamodb)),
		s3.New(filepath.Join(l.options.Dir, objectsFolder), l.store, authorize, s3.WithRequested(meter.s3)),
		l.sqs,
		l.lambda,
		sns.New(authorize, sns.Subscribers{Function: l.deliverToFunction, Queue: l.sqs.Send, Faults: l.faults}, sns.WithPublished(meter.sns)),
		schedule.New(l.deliverToFunction, l.options.Log),
		states.New(authorize, l.lambda, states.WithExecuted(meter.states), states.WithTimeScale(scale)),
		l.cognito,
		identity.New(identity.Config{
			Claims: l.cognito.IDClaims, SignedIn: l.cognito.SignedIn, Federate: l.policies.Federate, Session: l.keys.session,
		}),
		cloudformation.New(l.stacks, l.Outputs, authorize),
		cloudwatchlogs.New(authorize, l.logFiles),
		kms.New(l.store, authorize, l.policies.AttachToResource, kms.WithRequested(meter.kms)),
		sts.New(),
		httpapi.New(l.lambda, l.cognito.Keys, httpapi.WithRequested(l.meterAPI), httpapi.WithTimeScale(scale)),
	}
	for _, s := range l.services {
		l.policies.Word(s.Dialect())
	}
}

// lambdaConfig returns what Lambda needs from the others.
func (l *Lake) lambdaConfig() lambda.Config {
	return lambda.Config{
		Store: l.store, Authorize: l.policies.Authorize, Endpoint: l.url, Program: func(folder string) string { return l.programs[folder] },
		Credentials: l.keys.of, Undelivered: l.undelivered, Queues: queues{l.sqs}, Output: l.logs.of,
		Concurrency: max(concurrency, l.options.EventsPerInstance), EventsPerInstance: l.options.EventsPerInstance,
		IdleAfter: idleAfter, RetryDelay: retryDelay, TimeScale: l.tests.TimeScale, Faults: l.faults, Handled: l.metering.lambda,
	}
}

// startServices begins the work of the services that have some.
func (l *Lake) startServices() error {
	for _, s := range l.services {
		if s, starts := s.(starter); starts {
			if err := s.Start(); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeServices ends their work, beginning with those that call others.
func (l *Lake) closeServices() {
	for i := range l.services {
		if s, closes := l.services[len(l.services)-1-i].(closer); closes {
			s.Close()
		}
	}
}

// types are the resource types that are run, in the order in which their resources are
// made.
func (l *Lake) types() (all []resource.Type) {
	for _, s := range l.services {
		all = append(all, s.Resources()...)
	}
	return all
}

// Load reads the templates in a folder, which is a cloud assembly or has files
// <stack>.template.json, and gives resources the ids that they get when a lake runs them.
func Load(folder string) (*template.Assembly, error) {
	l := newLake(Options{}, nil)
	l.register()
	defer l.closeServices()
	return l.load(folder)
}

func (l *Lake) load(folder string) (*template.Assembly, error) {
	identities := template.Identities{}
	for _, t := range l.types() {
		identities[t.Name] = t.Identify
	}
	return template.Load(folder, identities)
}
