package judges

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// acceptance is a finding of a judge that is not a fault here, and why. Findings of
// cdk-nag are accepted beside their resources instead (accept in package stacks).
type acceptance struct {
	judge  string
	rule   string // as the judge names it
	about  string // what the message must contain; empty for any
	reason string
	where  []string // patterns (path.Match) of environment/stack/resource; each must cover a finding
}

func (a acceptance) covers(pattern string, found finding) bool {
	matches, err := path.Match(pattern, found.place)
	return err == nil && matches && a.rule == found.rule && strings.Contains(found.message, a.about)
}

// accepted is the table of acceptances.
func accepted() []acceptance {
	return slices.Concat(acceptedOfCfnLint(), acceptedOfCheckov(), acceptedOfGuard())
}

func acceptedOfCfnLint() []acceptance {
	return []acceptance{
		{
			cfnLint, "W3005", "dependency already enforced",
			"The CDK makes what has a role wait for it twice: by DependsOn, which also waits for the role's policy, and by GetAtt.",
			[]string{"*/*/*Function*", "dev/*/CustomS3AutoDeleteObjects*Handler*", "*/Core/Trail*", "*/StagingER7/Workflow*"},
		},
		{
			cfnLint, "I1022", "Fn::Sub over Fn::Join",
			"A matter of reading: the CDK writes Fn::Join, and people read the code that it writes it from.",
			[]string{"*/*/*"},
		},
	}
}

const (
	noNetwork = "The function calls AWS services only, over TLS, as its own role. A VPC would add networks to guard and nothing that " +
		"reaches the function: it has no address."
	isDeadLetterQueue = "This is itself a dead-letter queue: lake redrive empties it, and an alarm tells of its first message."
	isAccessLog       = "This is the bucket of the access logs: logging its own requests would never come to rest."
	noVersions        = "Content waits here for at most 30 days on its way to the lake, which is versioned; each key is of one event, and " +
		"only forget may delete. Versions would only keep patients' data longer than needed."
	madeAgain = "What is here is made from the lake, which is versioned and locked, and can be made again. Versions would keep what was " +
		"deleted there."
	emptiesBuckets = "The CDK's function that empties the buckets of a stack which is destroyed; CloudFormation waits for its " +
		"answer, and tells if there is none. Only dev, with its synthetic patients, has it."
)

func acceptedOfCheckov() []acceptance {
	return []acceptance{
		{checkov, "CKV_AWS_7", "", "KMS does not rotate keys for hashes. Finder replaces its key by another one.", []string{"*/Finder/Key*"}},
		{checkov, "CKV_AWS_18", "", isAccessLog, []string{"*/*/AccessLogs*"}},
		{checkov, "CKV_AWS_21", "", noVersions, []string{"*/Core/ClaimCheck*"}},
		{checkov, "CKV_AWS_21", "", madeAgain, []string{"*/Tables/Files*", "*/Tables/Answers*"}},
		{
			checkov, "CKV_AWS_67", "",
			"What the trail watches is in this region: data events of named resources. The account's own trail has the rest.",
			[]string{"*/Core/Trail*"},
		},
		{
			checkov, "CKV_AWS_115", "",
			"A new account may run ten functions at once and lets none of that be reserved; prod reserves for each function.",
			[]string{"dev/*/*Function*"},
		},
		{
			checkov, "CKV_AWS_116", "",
			"The rule knows no destinations. A function that is invoked asynchronously has one on failure, a queue with the error " +
				"and the event. Of the others, reconcile does at its next run what a failed one left, and the rest answer a " +
				"caller, who tries again.",
			[]string{"*/*/*Function*"},
		},
		{checkov, "CKV_AWS_117", "", noNetwork, []string{"*/*/*Function*"}},
		{
			checkov, "CKV_AWS_173", "",
			"The variables are names of buckets, tables and topics, and no secret; Lambda encrypts them with a key of its own.",
			[]string{"*/*/*Function*"},
		},
		{checkov, "CKV_AWS_115", "", emptiesBuckets, []string{"dev/*/CustomS3AutoDeleteObjects*Handler*"}},
		{checkov, "CKV_AWS_116", "", emptiesBuckets, []string{"dev/*/CustomS3AutoDeleteObjects*Handler*"}},
		{checkov, "CKV_AWS_117", "", emptiesBuckets, []string{"dev/*/CustomS3AutoDeleteObjects*Handler*"}},
	}
}

func acceptedOfGuard() []acceptance {
	return []acceptance{
		{
			guardPackage, "api_gw_v2_authorization_type_configured_check", "CT.APIGATEWAY.PR.5",
			"The console's page and its files are open, because a browser has no token yet. They hold no data: what the page shows comes " +
				"from routes that demand a token.",
			[]string{"*/FrontDoor/ApiGETconsole*"},
		},
		{
			guardPackage, "cloudwatch_log_group_retention_period_check", "CT.CLOUDWATCH.PR.2",
			"Synthetic patients only: nobody asks after a week. prod keeps six years.",
			[]string{"dev/*/*"},
		},
		{
			guardPackage, "kms_create_grant_aws_service_check", "CT.KMS.PR.3",
			"The rule wants a Deny. The key's policy allows kms:CreateGrant only with kms:GrantIsForAWSResource and only through " +
				"the services that use the key, and lets no policy of IAM allow more.",
			[]string{"*/Core/*Key*"},
		},
		{
			guardPackage, "kms_create_grant_aws_service_check", "CT.KMS.PR.3",
			"The rule wants a Deny. The key's policy allows kms:CreateGrant to nobody, and lets no policy of IAM allow it.",
			[]string{"*/Finder/Key*"},
		},
		{guardPackage, "lambda_inside_vpc_check", "CT.LAMBDA.PR.3", noNetwork, []string{"*/*/*Function*"}},
		{
			guardPackage, "lambda_inside_vpc_check", "CT.LAMBDA.PR.3", emptiesBuckets,
			[]string{"dev/*/CustomS3AutoDeleteObjects*Handler*"},
		},
		{
			guardPackage, "s3_bucket_default_encryption_kms_check", "CT.S3.PR.10",
			"S3 delivers access logs only to buckets that are encrypted with its own keys (SSE-S3); they hold no message.",
			[]string{"*/*/AccessLogs*"},
		},
		{guardPackage, "s3_bucket_versioning_enabled_check", "CT.S3.PR.11", noVersions, []string{"*/Core/ClaimCheck*"}},
		{guardPackage, "s3_bucket_versioning_enabled_check", "CT.S3.PR.11", madeAgain, []string{"*/Tables/Files*", "*/Tables/Answers*"}},
		{guardPackage, "s3_bucket_logging_enabled_check", "CT.S3.PR.2", isAccessLog, []string{"*/*/AccessLogs*"}},
		{
			guardPackage, "s3_event_notifications_enabled_check", "CT.S3.PR.4",
			"The functions that write an object tell the hub of it. Nothing would listen to the bucket's own notifications, and the " +
				"trail records who else writes.",
			[]string{"*/Core/Lake*", "*/Core/ClaimCheck*", "*/*/AccessLogs*", "*/Core/TrailLogs*"},
		},
		{
			guardPackage, "s3_event_notifications_enabled_check", "CT.S3.PR.4", "Nothing waits for a table's new files: they are read when somebody asks.",
			[]string{"*/Tables/Files*", "*/Tables/Answers*"},
		},
		{
			guardPackage, "s3_bucket_object_lock_enabled_check", "CT.S3.PR.9",
			"Synthetic patients only: what is locked could not be destroyed. prod locks the lake.",
			[]string{"dev/Core/Lake*"},
		},
		{
			guardPackage, "s3_bucket_object_lock_enabled_check", "CT.S3.PR.9",
			"Content on its way, and logs: the content is locked where it comes to rest, in the lake. The trail's digests are signed, " +
				"so that a record which is changed or removed shows.",
			[]string{"*/Core/ClaimCheck*", "*/*/AccessLogs*", "*/Core/TrailLogs*"},
		},
		{
			guardPackage, "s3_bucket_object_lock_enabled_check", "CT.S3.PR.9", madeAgain, []string{"*/Tables/Files*", "*/Tables/Answers*"},
		},
		{guardPackage, "sqs_dlq_check", "CT.SQS.PR.1", isDeadLetterQueue, []string{"*/*/*Failed*", "*/*/*Undelivered*"}},
	}
}

func TestAcceptancesSayWhyAndWhere(t *testing.T) {
	for _, each := range accepted() {
		if each.judge == "" || each.rule == "" || len(each.reason) < 20 || len(each.where) == 0 {
			t.Errorf("incomplete: %+v", each)
		}
		for _, pattern := range each.where {
			if _, err := path.Match(pattern, ""); err != nil || strings.Count(pattern, "/") != 2 {
				t.Errorf("%s is no environment/stack/resource", pattern)
			}
		}
	}
}

func TestWhatIsAcceptedMustBeFoundAndWhatIsFoundMustBeAccepted(t *testing.T) {
	findings := []finding{{"dev/Core/Lake1", "R1", "no logs"}, {"dev/Core/Lake1", "R2", "no lock"}}
	unaccepted, unneeded := weigh("judge", findings, []acceptance{
		{judge: "judge", rule: "R1", where: []string{"*/Core/Lake*", "prod/Core/Lake*"}},
		{judge: "judge", rule: "R2", about: "no versions", where: []string{"*/*/*"}},
		{judge: "another", rule: "R2", where: []string{"*/*/*"}},
	})
	if len(unaccepted) != 1 || unaccepted[0] != findings[1] {
		t.Errorf("unaccepted: %v", unaccepted)
	}
	if got := strings.Join(unneeded, "; "); got != "R1 at prod/Core/Lake*; R2 no versions at */*/*" {
		t.Errorf("unneeded: %s", got)
	}
}
