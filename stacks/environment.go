package stacks

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// Environment holds every setting in which one deployment of the lake differs from another. What is not here is the
// same everywhere, so a change tested in one environment is the change that reaches the other.
type Environment struct {
	// Name is what `-c env=` selects; it is part of each stack's name.
	Name string

	// KeepData says that data outlives the stacks: buckets, tables, keys, logs and the user pool are retained when a
	// stack is deleted, and deleting a stack or a table by mistake is refused. Without it a destroy empties the buckets
	// and leaves nothing behind.
	KeepData bool
	// KeyDeletionDays is how long a key that was given up can be had back, and with it what it encrypts: 7 to 30.
	KeyDeletionDays float64
	// LockYears is for how many years no object of the lake can be deleted without special permission; zero is not at all.
	LockYears float64
	// Zones says what becomes of objects with age.
	Zones Zones

	// PasswordSignIn lets a client exchange a password for tokens in one call (USER_PASSWORD_AUTH, and an administrator
	// ADMIN_USER_PASSWORD_AUTH). Convenient for curl and for tests, but the password itself travels; without it only SRP signs
	// in, which never sends it.
	PasswordSignIn bool
	// RequireMFA demands a second factor of everybody who signs in: a one-time password of an authenticator.
	RequireMFA bool
	// ThreatProtection refuses passwords that leaked elsewhere and sign-ins that look stolen. It needs Cognito's Plus
	// plan, which is charged for each user.
	ThreatProtection bool
	// Sessions says how long tokens open doors.
	Sessions Sessions
	// Console is the application for browsers.
	Console Console
	// Institutions are those whose engines post here. Each gets a machine client of its own. Institutions whose people
	// and engines sign in as users need not be listed.
	Institutions []Institution

	// PostLimit and ReadLimit are how many requests API Gateway lets through to each route that posts and that reads.
	PostLimit, ReadLimit RateLimit
	// OwnerLimit is how much of that one institution may post, and have staged at once, so that it cannot starve the others:
	// messages, of which one of more than 64 KiB counts as several, by its size. API Gateway knows no institution, so a flood above PostLimit is
	// refused before this is asked.
	OwnerLimit RateLimit
	// DeferredConcurrency is how many messages are staged at once of all that institutions have beyond their shares: 2 to
	// 1000, and a part of what staging may have at work.
	DeferredConcurrency float64
	// Domain is the API's own name; without it, API Gateway's is used.
	Domain *Domain

	// LogRetention is how long logs are kept. They hold ids and outcomes only, and among them the audit records: who
	// read and posted what.
	LogRetention awslogs.RetentionDays
	// AuditDays is how long the trail and the buckets' access logs are kept.
	AuditDays float64
	// AlarmAddresses are the e-mail addresses that alarms are sent to. Each must confirm once.
	AlarmAddresses []string
	// ReserveConcurrency gives each function its own share of the account's concurrency, so that no flood of requests to
	// one starves the others.
	ReserveConcurrency bool
}

// Sessions is how long tokens are valid.
type Sessions struct {
	// TokenMinutes is how long an ID or access token of a user is valid: 5 to 1440. A permission that was taken away
	// holds until then.
	TokenMinutes float64
	// SignInHours is how long new tokens are given without signing in again.
	SignInHours float64
	// MachineTokenMinutes is how long an access token of a machine is valid.
	MachineTokenMinutes float64
}

// Console is the application for browsers: where Cognito's pages lead after signing in and out. Both are absolute URLs of one
// origin, whose scripts a browser lets call the API and follow its redirections to the lake.
type Console struct{ Callback, Logout string }

// origin is the scheme and host of the console, as a browser names it in the header Origin (RFC 6454, 6.2).
func (c Console) origin() string {
	callback, err := url.Parse(c.Callback)
	if err != nil || callback.Scheme == "" || callback.Host == "" {
		panic(fmt.Sprintf("Console.Callback %q is not an absolute URL", c.Callback)) // a mistake in this package
	}
	return callback.Scheme + "://" + callback.Host
}

// Institution is one whose interface engine posts with client credentials.
type Institution struct {
	// Name is the owner of what it posts: a letter or digit, then up to 63 of letters, digits, dot, underscore and dash.
	Name string
	// QuietAfterMinutes is how long it may send nothing before that is an alarm, in steps of five, at most a day; zero for
	// one that sends now and then.
	QuietAfterMinutes float64
	// ReadsBack lets its engine read the institution's messages too, say to see what became of what it sent.
	ReadsBack bool
}

// RateLimit is how many requests a second pass on average, and how many at once: a token bucket.
type RateLimit struct{ PerSecond, Burst float64 }

// Domain is a custom domain of the API.
type Domain struct {
	// Name is the host, such as lake.example.org. Its DNS record is made where the zone is.
	Name string
	// CertificateARN is that of its certificate, in the same region.
	CertificateARN string
	// TrustStoreBucket and TrustStoreKey name the object with the certificates (PEM) of those who may sign clients'
	// certificates. With them, clients must show one (mutual TLS).
	TrustStoreBucket, TrustStoreKey string
}

// Zones is what becomes of the objects in each zone of the lake.
type Zones struct{ Ingestion, Staging, Error Aging }

// Aging is what becomes of an object with time. Days count from its writing; zero is never.
type Aging struct {
	// ColdAfterDays moves it to Glacier Instant Retrieval: read as fast, cheaper to keep, dearer to read. S3 leaves
	// objects of less than 128 KiB where they are, since their move would cost more than it saves.
	ColdAfterDays float64
	// ExpireAfterDays deletes it.
	ExpireAfterDays float64
}

// EnvironmentNamed returns the environment of that name, or an error that lists the known names.
func EnvironmentNamed(name string) (Environment, error) {
	var known []string
	for _, env := range Environments() {
		if env.Name == name {
			return env, nil
		}
		known = append(known, env.Name)
	}
	return Environment{}, fmt.Errorf("unknown environment %q: choose one with -c env=NAME; the known ones are %s",
		name, strings.Join(known, ", "))
}

// longestReceivedDays is for how many days a second copy of a message is refused where messages are kept that long.
const longestReceivedDays = 90

// receivedDays is for how many days a second copy of a message is refused: never longer than the first is kept, or its
// sender would be told that the lake has what is gone. An object lives for its days in full (Amazon S3 User Guide,
// Lifecycle configuration elements: expiration), and is written after its claim.
func (e Environment) receivedDays() float64 {
	if kept := e.Zones.Ingestion.ExpireAfterDays; kept > 0 {
		return min(kept, longestReceivedDays)
	}
	return longestReceivedDays
}

// reserved is the concurrency to reserve, or nil for none.
func (e Environment) reserved(concurrency float64) *float64 {
	if !e.ReserveConcurrency {
		return nil
	}
	return &concurrency
}

// removalPolicy is what happens to a stateful resource when it leaves the template. Data is kept, but what a creation that
// failed has made is empty and goes with it: it would stand in the way of the next try, which would make it again.
func (e Environment) removalPolicy() awscdk.RemovalPolicy {
	if e.KeepData {
		return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return awscdk.RemovalPolicy_DESTROY
}

// stackProps names a stack and describes it. Its tags reach each resource at deployment, outside the template.
func (e Environment) stackProps(name, description string) *awscdk.StackProps {
	return &awscdk.StackProps{
		StackName:             new("hl7lake-" + e.Name + "-" + name),
		Description:           new(description),
		TerminationProtection: new(e.KeepData),
		Tags:                  &map[string]*string{"project": new("hl7lake"), "environment": new(e.Name)},
		// The CDK CLI checks the bootstrap version from the manifest; a parameter and a rule in each template that
		// check it again would only be noise in every diff.
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: new(false),
		}),
	}
}
