package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

const (
	// tabulateSeconds is how long one run may take, which is the most that Lambda allows.
	// The next run goes on where it ended.
	tabulateSeconds = 900
	// answerDays is how long Athena's answers are kept. A person who asks again gets a
	// new one.
	answerDays = 7
)

// Tables is the stack that lets SQL query the lake: a function that writes messages as
// Parquet files, and the tables over these files for Athena. It reads the lake and does
// not depend on other connectors' results. FrontDoor's users may read the files of their
// institutions.
type Tables struct {
	awscdk.Stack
	// Bucket holds the tables' files:
	// <table>/source=<institution>/date=<YYYY-MM-DD>/hour=<HH>/all.parquet.
	Bucket awss3.Bucket
}

// TablesProps is what Tables needs.
type TablesProps struct {
	// Core is the stack whose lake the tables are made of.
	Core Core
	// FrontDoor is the stack whose users read the tables' files.
	FrontDoor FrontDoor
}

// NewTables defines the Tables stack.
func NewTables(scope constructs.Construct, id string, props TablesProps) Tables {
	base := props.Core.Foundation
	stack := awscdk.NewStack(scope, &id, base.stackProps("tables", "hl7lake: messages as tables for SQL"))
	accessLogs := newAccessLogs(stack, "AccessLogs", base.Environment)
	made := Tables{Stack: stack, Bucket: newTablesBucket(stack, "Files", base, accessLogs, 0)}
	tabulate := made.addTabulate(props.Core)
	made.letUsersRead(props.FrontDoor)
	made.addCatalog(base, newTablesBucket(stack, "Answers", base, accessLogs, answerDays))
	if base.TablesDeid {
		made.addTwin(base, tabulate)
	}
	ownCleanerLogs(stack, base)
	newOutput(stack, contract.OutputTables, made.Bucket.BucketName(), "Bucket of the tables' files")
	return made
}

// newTablesBucket makes a bucket of files that can be made again; zero days keeps them.
func newTablesBucket(scope constructs.Construct, id string, base Foundation, accessLogs awss3.Bucket, days float64) awss3.Bucket {
	bucket := newBucket(scope, id, base.Environment, accessLogs, awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Lake,
		BucketKeyEnabled: new(true),
		Versioned:        new(false),
		LifecycleRules:   &[]*awss3.LifecycleRule{lifecycle("", 0, days)},
	})
	accept(bucket, "HIPAA.Security-S3BucketVersioningEnabled",
		"What is here is made from the lake, which is versioned, and can be made again. Versions would keep what was deleted there.")
	return bucket
}

// addTabulate defines the function that writes the tables: each hour those of the hours
// that have ended, and each night those for which messages came late.
func (t Tables) addTabulate(core Core) Function {
	base := core.Foundation
	tabulate := newFunction(t.Stack, "Tabulate", base, FunctionProps{
		Package:     "lambdas/tabulate",
		Description: "Writes messages as Parquet files, one a table and hour",
		Memory:      1769, // one busy core; the tables take 80 MB, and messages read ahead 64 MB
		Timeout:     tabulateSeconds,
		Concurrency: 1, // two runs at once do no harm, and no good
		Environment: map[string]*string{
			contract.EnvLakeBucket:   core.Lake.BucketName(),
			contract.EnvCatalogTable: core.Catalog.TableName(),
			contract.EnvTablesBucket: t.Bucket.BucketName(),
		},
	})
	core.GrantReadMessages(tabulate.Lambda)
	grant(tabulate.Lambda, []string{"s3:GetObject", "s3:PutObject"}, t.Bucket.ArnForObjects(new("*")))
	grant(tabulate.Lambda, []string{"s3:ListBucket"}, t.Bucket.BucketArn()) // also to distinguish what does not exist from what is forbidden
	grantEncrypt(tabulate.Lambda, base.Keys.Lake)
	accept(tabulate.scope, "AwsSolutions-IAM5",
		"All messages, which the function is there to read, and all files of the tables, which it is there to write.",
		`/^Resource::<Lake[0-9A-F]{8}\.Arn>\/ingestion\/protocol=hl7v2\/\*$/`, `/^Resource::<Files[0-9A-F]{8}\.Arn>\/\*$/`)

	t.schedule("Hourly", "Writes the tables of the hours that have ended", 1, tabulate, map[string]any{"settled": true})
	t.schedule("Nightly", "Looks for messages that came late, or were deleted", 24, tabulate, map[string]any{"settled": true, "late": true})
	newOutput(t.Stack, contract.OutputTabulate, tabulate.Lambda.FunctionName(), "Function that writes the tables")
	base.alarm(t.Stack, "Lag", alarmProps{
		Runbook: "tables-lag",
		Means:   "The tables lack messages of three hours ago, or the check itself does not run.",
		Metric:  base.ownMetric(contract.MetricTablesLag, statistic("Maximum", 2*60)),
		AtLeast: 3 * 60 * 60,
		// Tabulate writes its metric after every successful run. Without the metric,
		// there was none.
		SilenceIsBad: true,
	})
	return tabulate
}

// letUsersRead lets users with credentials of the identity pool read the tables' files of
// the institutions that they may read. They may use the key already: it is the lake's. A
// star stands for the table, because all policies of a role together may have no more
// than 10,240 characters (IAM User Guide, IAM and AWS STS quotas). It lets them read the
// institution's manifests too, which hold digests and counts.
func (t Tables) letUsersRead(door FrontDoor) {
	policy := door.letReaders(t.Stack, "Readers", letReadTagged(t.Bucket, "*")...)
	accept(policy, "HIPAA.Security-IAMNoInlinePolicy", "The policy is of this stack and goes with it.")
	accept(policy, "AwsSolutions-IAM5", "All files of one institution, which a tag of the session names.",
		`/^Resource::<Files[0-9A-F]{8}\.Arn>\/\*\/source=<aws:PrincipalTag\/read[2-4]?>\/\*$/`)
}

// schedule runs the function every given number of hours, with an input.
func (t Tables) schedule(id, description string, hours float64, fn Function, input map[string]any) {
	awsevents.NewRule(t.Stack, &id, &awsevents.RuleProps{
		Description: &description,
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Hours(&hours)),
		Targets: &[]awsevents.IRuleTarget{
			awseventstargets.NewLambdaFunction(fn.Lambda, &awseventstargets.LambdaFunctionProps{Event: awsevents.RuleTargetInput_FromObject(input)}),
		},
	})
}

// GrantReadMessages lets the grantee list the messages of HL7v2 in the lake and what was
// made of them, read the messages as they were sent, and look them up in the catalog.
func (c Core) GrantReadMessages(grantee awsiam.IGrantable) {
	const folder = "/protocol=" + contract.ProtocolHL7v2 + "/*"
	grant(grantee, []string{"s3:GetObject"}, c.Lake.ArnForObjects(new(contract.ZoneIngestion+folder)))
	grantee.GrantPrincipal().AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   texts("s3:ListBucket"),
		Resources: &[]*string{c.Lake.BucketArn()},
		Conditions: &map[string]any{"StringLike": map[string]any{"s3:prefix": []string{
			contract.ZoneIngestion + folder, contract.ZoneStaging + folder, contract.ZoneError + folder,
		}}},
	}))
	grantDecrypt(grantee, c.Foundation.Keys.Lake)
	grant(grantee, []string{"dynamodb:Query"}, c.Catalog.TableArn())
	grantTableKey(grantee, c.Foundation.Keys.Tables)
}
