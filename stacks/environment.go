package stacks

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// Environment holds every setting in which deployments of the lake differ. Everything
// else is the same everywhere, so that a change tested in one environment is the change
// that reaches the others.
type Environment struct {
	// Name is what `-c env=` selects. It is part of each stack's name.
	Name string

	// KeepData says that data outlives the stacks: buckets, tables, keys, logs and the
	// user pool are retained when a stack is deleted, and deleting a stack or a table by
	// mistake is refused. Without it, a destroy empties the buckets and leaves nothing
	// behind.
	KeepData bool
	// KeyDeletionDays is how long a deleted key can be restored, and with it the data
	// that it encrypts: 7 to 30.
	KeyDeletionDays float64
	// LockYears is for how many years no object of the lake can be deleted without
	// special permission; zero means no lock.
	LockYears float64
	// Zones says what happens to objects as they age.
	Zones Zones

	// PasswordSignIn lets a client exchange a password for tokens in one call
	// (USER_PASSWORD_AUTH, and for an administrator ADMIN_USER_PASSWORD_AUTH). That is
	// convenient for curl and for tests, but sends the password itself. Without it, users
	// sign in with SRP only, which never sends the password.
	PasswordSignIn bool
	// RequireMFA requires a second factor of everybody who signs in: a one-time password
	// from an authenticator.
	RequireMFA bool
	// ThreatProtection refuses passwords that were leaked elsewhere, and sign-ins that
	// look like an attack. It needs Cognito's Plus plan, which costs money for each user.
	ThreatProtection bool
	// Sessions says how long tokens are valid.
	Sessions Sessions
	// Institutions are those whose engines post here. Each gets a machine client of its
	// own. An institution whose people and engines sign in as users need not be listed.
	Institutions []Institution

	// PostLimit and ReadLimit are how many requests API Gateway accepts for each route
	// that posts or reads.
	PostLimit, ReadLimit RateLimit
	// OwnerLimit is how much of that one institution may post, and have staged at once,
	// so that it cannot starve the others: messages; one of more than 64 KiB counts as
	// several, by its size. API Gateway knows no institution, so a flood above PostLimit
	// is refused before this is asked.
	OwnerLimit RateLimit
	// DeferredConcurrency is how many messages are staged at once of all that
	// institutions have beyond their shares: 2 to 1000, and a part of what staging may
	// have at work.
	DeferredConcurrency float64
	// TablesDeid has the tables written a second time, de-identified, for people who may
	// not read the messages (docs/decisions/0017-a-de-identified-twin.md).
	TablesDeid bool
	// Finder has messages found by their identifiers. It is nil where they are not.
	Finder *FinderSettings
	// Domain is the API's own name. Without it, API Gateway's name is used.
	Domain *Domain

	// LogRetention is how long logs are kept. They hold only ids and outcomes, and the
	// audit records: who read and posted what.
	LogRetention awslogs.RetentionDays
	// AuditDays is how long the trail and the buckets' access logs are kept.
	AuditDays float64
	// AlarmAddresses are the e-mail addresses that alarms are sent to. Each must be
	// confirmed once.
	AlarmAddresses []string
	// ReserveConcurrency gives each function its own share of the account's concurrency,
	// so that many requests to one function do not starve the others.
	ReserveConcurrency bool
}

// FinderSettings is by what messages are found.
type FinderSettings struct {
	// KeyVersions are the versions of the key of the hashes, as numbers of your own, the
	// newest first: usually one. Messages are entered with the newest and found with all.
	// docs/finder.md says how a version is replaced.
	KeyVersions []int
	// Places are where messages have further identifiers, each as kind=path, such as
	// accession=OBR-18 (see finder.ParsePlaces).
	Places []string
}

// Sessions is how long tokens are valid.
type Sessions struct {
	// TokenMinutes is how long a user's ID or access token is valid: 5 to 1440. A
	// permission that was taken away remains usable until then.
	TokenMinutes float64
	// SignInHours is for how long new tokens are issued without a new sign-in.
	SignInHours float64
	// MachineTokenMinutes is how long a machine's access token is valid.
	MachineTokenMinutes float64
}

// Institution is one whose interface engine posts with client credentials.
type Institution struct {
	// Name is the owner of what it posts: a letter or digit, then up to 63 letters,
	// digits, dots, underscores and dashes.
	Name string
	// QuietAfterMinutes is how long it may send nothing before there is an alarm, a
	// multiple of five, at most a day. Zero is for one that sends only now and then.
	QuietAfterMinutes float64
	// ReadsBack lets its engine also read the institution's messages, for example to see
	// what became of them.
	ReadsBack bool
}

// RateLimit is how many requests a second are allowed on average, and how many at once: a
// token bucket.
type RateLimit struct{ PerSecond, Burst float64 }

// Domain is a custom domain of the API.
type Domain struct {
	// Name is the host, such as lake.example.org. Its DNS record is made where its zone
	// is managed.
	Name string
	// CertificateARN is the ARN of its certificate, in the same region.
	CertificateARN string
	// TrustStoreBucket and TrustStoreKey name the object with the certificates (PEM) of
	// the authorities that may sign clients' certificates. If they are set, clients must
	// show such a certificate (mutual TLS).
	TrustStoreBucket, TrustStoreKey string
}

// Zones is what happens to the objects in each zone of the lake.
type Zones struct{ Ingestion, Staging, Error Aging }

// Aging is what happens to an object over time. Days count from its writing; zero means
// never.
type Aging struct {
	// ColdAfterDays moves it to Glacier Instant Retrieval: as fast to read, cheaper to
	// keep, and more expensive to read. S3 does not move objects of less than 128 KiB,
	// because moving them would cost more than it saves.
	ColdAfterDays float64
	// ExpireAfterDays deletes it.
	ExpireAfterDays float64
}

// EnvironmentNamed returns the environment of that name, or an error that lists the known
// names.
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

// longestReceivedDays is for how many days a second copy of a message is refused, if
// messages are kept that long.
const longestReceivedDays = 90

// receivedDays is for how many days a second copy of a message is refused. It is never
// longer than the first copy is kept: otherwise its sender would be told that the lake
// has what is gone. An object lives for all of its days (Amazon S3 User Guide, Lifecycle
// configuration elements: expiration), and is written after its claim.
func (e Environment) receivedDays() float64 {
	if kept := e.Zones.Ingestion.ExpireAfterDays; kept > 0 {
		return min(kept, longestReceivedDays)
	}
	return longestReceivedDays
}

// reserved returns the concurrency to reserve, or nil for none.
func (e Environment) reserved(concurrency float64) *float64 {
	if !e.ReserveConcurrency {
		return nil
	}
	return &concurrency
}

// removalPolicy is what happens to a stateful resource when it leaves the template. Data
// is kept. But what a failed creation has made is empty and is deleted: it would prevent
// the next attempt, which makes it again.
func (e Environment) removalPolicy() awscdk.RemovalPolicy {
	if e.KeepData {
		return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return awscdk.RemovalPolicy_DESTROY
}

// stackProps names and describes a stack. Its tags reach each resource at deployment,
// outside the template.
func (e Environment) stackProps(name, description string) *awscdk.StackProps {
	return &awscdk.StackProps{
		StackName:             new("hl7lake-" + e.Name + "-" + name),
		Description:           new(description),
		TerminationProtection: new(e.KeepData),
		Tags:                  &map[string]*string{"project": new("hl7lake"), "environment": new(e.Name)},
		// The CDK CLI checks the bootstrap version from the manifest. A parameter and a
		// rule in each template that check it again would only add noise to every diff.
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: new(false),
		}),
	}
}
