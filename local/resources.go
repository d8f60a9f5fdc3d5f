package local

import (
	"fmt"

	"hl7lake/internal/contract"
	"hl7lake/local/cognito"
	"hl7lake/local/dynamodb"
	"hl7lake/local/httpapi"
	"hl7lake/local/identity"
	"hl7lake/local/lambda"
	"hl7lake/local/s3"
	"hl7lake/local/schedule"
	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/states"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// provisioner brings the resources of one type to life.
type provisioner struct {
	ignored wire.Ignored                         // properties that are not run, and why
	decode  func(properties []byte) (any, error) // refuses those that are neither run nor ignored
	add     func(l *Lake, r *template.Resource, properties any) error
}

// with makes a provisioner of a function that takes the resource's properties decoded: P is a struct with
// CloudFormation's names, and with those of its properties that are ignored where it has such.
func with[P any](add func(l *Lake, r *template.Resource, properties P) error) provisioner {
	var ignored wire.Ignored
	if p, has := any(new(P)).(interface{ Ignored() wire.Ignored }); has {
		ignored = p.Ignored()
	}
	return provisioner{
		ignored: ignored,
		decode: func(text []byte) (any, error) {
			var properties P
			return &properties, wire.Properties(text, &properties, ignored)
		},
		add: func(l *Lake, r *template.Resource, properties any) error { return add(l, r, *properties.(*P)) },
	}
}

// run brings one resource to life, and notes which of its properties are ignored.
func (p provisioner) run(l *Lake, r *template.Resource) error {
	text, err := r.JSON()
	if err != nil {
		return err
	}
	properties, err := p.decode(text)
	if err == nil {
		err = p.add(l, r, properties)
	}
	if err != nil {
		return r.Fail("", fmt.Errorf("%s: %w", r.Type, err))
	}
	for _, path := range p.ignored.Given(text) {
		l.leaveOut(r, path, p.ignored[path])
	}
	return nil
}

func addBucket(l *Lake, r *template.Resource, b s3.Bucket) error {
	b.BucketName = r.PhysicalID
	return l.s3.CreateBucket(b)
}

func addTable(l *Lake, r *template.Resource, t dynamodb.Table) error {
	t.TableName = r.PhysicalID
	return l.dynamodb.CreateTable(t)
}

func addQueue(l *Lake, r *template.Resource, q sqs.Queue) error {
	q.VisibilityTimeout = l.scaleVisibility(q.VisibilityTimeout)
	return l.sqs.Add(r.Attributes["QueueName"], q)
}

func addTopic(l *Lake, r *template.Resource, t sns.Topic) error {
	return l.sns.AddTopic(r.PhysicalID, t)
}

func addSubscription(l *Lake, r *template.Resource, s sns.Subscription) error {
	if s.Protocol == "email" {
		l.leaveOut(r, "", "no mail is sent from here")
		return nil
	}
	s.SubscriptionArn = r.PhysicalID
	return l.sns.Subscribe(s)
}

// addFunction adds a function of ours. One that names no package, such as CDK's own that empties buckets, is not run.
func addFunction(l *Lake, r *template.Resource, f lambda.Function) error {
	p, ours := r.Metadata[contract.PackageMetadata].(string)
	if !ours {
		l.leaveOut(r, "", "it helps a deployment only: its program is CDK's own")
		return nil
	}
	f.FunctionName = r.PhysicalID
	l.metering.functions[f.FunctionName] = p
	if !lambda.MemoryIsBounded {
		l.leaveOut(r, "MemorySize", "a function may take any memory, since that of a process is known on Linux only")
	}
	l.lambda.Add(f, l.programs[p])
	return nil
}

func addRule(l *Lake, r *template.Resource, rule schedule.Rule) error {
	return l.schedule.Add(r.Attributes["Arn"], rule)
}

func addEventInvokeConfig(l *Lake, _ *template.Resource, c lambda.EventInvokeConfig) error {
	return l.lambda.Configure(c)
}

func addStateMachine(l *Lake, r *template.Resource, m states.StateMachine) error {
	scaled, err := l.scaleDefinition(m.DefinitionString)
	if err != nil {
		return err
	}
	m.DefinitionString = scaled
	return l.states.Add(r.PhysicalID, m)
}

func addUserPool(l *Lake, r *template.Resource, p cognito.UserPool) error {
	return l.cognito.AddUserPool(r.PhysicalID, p)
}

func addUserPoolDomain(l *Lake, r *template.Resource, d cognito.UserPoolDomain) error {
	d.Domain = r.PhysicalID // what Ref gives, and so what the outputs hold
	return l.cognito.AddUserPoolDomain(d)
}

func addUserPoolResourceServer(l *Lake, _ *template.Resource, s cognito.UserPoolResourceServer) error {
	return l.cognito.AddUserPoolResourceServer(s)
}

func addUserPoolClient(l *Lake, r *template.Resource, c cognito.UserPoolClient) error {
	return l.cognito.AddUserPoolClient(r.PhysicalID, c)
}

func addIdentityPool(l *Lake, r *template.Resource, p identity.Pool) error {
	return l.identity.AddPool(r.PhysicalID, p)
}

func addIdentityPoolRoles(l *Lake, _ *template.Resource, roles identity.Roles) error {
	return l.identity.AttachRoles(roles)
}

func addIdentityPoolTags(l *Lake, _ *template.Resource, tags identity.PrincipalTag) error {
	return l.identity.MapTags(tags)
}

func addAPI(l *Lake, r *template.Resource, a httpapi.Api) error {
	return l.api.AddApi(r.PhysicalID, a)
}

func addAuthorizer(l *Lake, r *template.Resource, a httpapi.Authorizer) error {
	return l.api.AddAuthorizer(r.PhysicalID, a)
}

func addIntegration(l *Lake, r *template.Resource, i httpapi.Integration) error {
	i.TimeoutInMillis = l.scaleIntegration(i.TimeoutInMillis)
	return l.api.AddIntegration(r.PhysicalID, i)
}

func addRoute(l *Lake, _ *template.Resource, route httpapi.Route) error {
	return l.api.AddRoute(route)
}

func addStage(l *Lake, _ *template.Resource, stage httpapi.Stage) error {
	return l.api.AddStage(stage)
}
