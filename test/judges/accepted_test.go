package judges

import (
	"path"
	"strings"
	"testing"
)

// acceptance is a finding of a judge that is no fault here, and why. Findings of cdk-nag are accepted beside their
// resources instead (accept in package stacks).
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

// accepted is the table of acceptances. docs/judges.md counts them.
func accepted() []acceptance {
	const (
		inNoVPC  = "the functions call AWS's own endpoints only; a VPC would need an endpoint for each service, at a price by the hour"
		ofTheKey = "the key is Core's, and comes by Fn::GetStackOutput, which the rule does not know"
	)
	everywhere := []string{"*/*/*"}
	return []acceptance{
		{cfnLint, "I1022", "", "a matter of taste, and the CDK writes Fn::Join", everywhere},
		{cfnLint, "W3005", "", "the CDK writes it beside the reference; it changes nothing", everywhere},

		{checkov, "CKV_AWS_117", "", inNoVPC, []string{"*/*/*Function*", "dev/Core/CustomS3AutoDelete*"}},
		{checkov, "CKV_AWS_116", "", "failed events go to a queue by the function's EventInvokeConfig; API Gateway and the workflow call and wait",
			[]string{"*/*/*Function*", "dev/Core/CustomS3AutoDelete*"}},
		{checkov, "CKV_AWS_115", "", "dev shares the account's concurrency, which may be 10; prod reserves some for each",
			[]string{"dev/*/*Function*", "dev/Core/CustomS3AutoDelete*"}},
		{checkov, "CKV_AWS_173", "", "the variables are names of resources; Lambda encrypts them with a key of its own", []string{"*/*/*Function*"}},
		{checkov, "CKV_AWS_45", "", "the name of an output of Core has the length of a secret", []string{"dev/StagingER7/*Function*", "prod/FrontDoor/*Function*"}},
		{checkov, "CKV_AWS_67", "", "an environment is in one region, and so is its trail", []string{"*/Core/Trail*"}},
		{checkov, "CKV_AWS_21", "", "a claim check is written once, is checked by its hash and expires", []string{"*/Core/ClaimCheck*"}},
		{checkov, "CKV_AWS_18", "", "it is the bucket that the others log to", []string{"*/Core/AccessLogs*"}},

		{guardPackage, "lambda_inside_vpc_check", "", inNoVPC, []string{"*/*/*Function*", "dev/Core/CustomS3AutoDelete*"}},
		{guardPackage, "cloudwatch_log_group_encrypted_check", "", ofTheKey, []string{"*/FrontDoor/*Logs*", "*/StagingER7/*Logs*"}},
		{guardPackage, "sqs_queue_encrypted_check", "", ofTheKey, []string{"*/StagingER7/*"}},
		{guardPackage, "cloudwatch_log_group_retention_period_check", "", "dev keeps its logs for days; prod keeps them for six years",
			[]string{"dev/Core/*", "dev/FrontDoor/*", "dev/StagingER7/*"}},
		{guardPackage, "api_gw_v2_access_logs_enabled_check", "", "there is a log; its ARN is joined, which the rule does not know", []string{"*/FrontDoor/ApiDefaultStage*"}},
		{guardPackage, "lambda_function_public_access_prohibited_check", "", "the source's ARN is joined or Core's, which the rule does not know",
			[]string{"*/FrontDoor/Api*Permission*", "*/StagingER7/TriggerFunctionAllowInvoke*"}},
		{guardPackage, "sqs_dlq_check", "", "these are the queues of dead letters", []string{"*/*/*Failed*", "*/*/*Undelivered*"}},
		{guardPackage, "s3_event_notifications_enabled_check", "", "the hub tells of every object, and is the only way into the lake", []string{"*/Core/*"}},
		{guardPackage, "s3_bucket_versioning_enabled_check", "", "a claim check is written once, is checked by its hash and expires", []string{"*/Core/ClaimCheck*"}},
		{guardPackage, "s3_bucket_logging_enabled_check", "", "it is the bucket that the others log to", []string{"*/Core/AccessLogs*"}},
		{guardPackage, "s3_bucket_default_encryption_kms_check", "", "S3 delivers access logs to a bucket with its own key only", []string{"*/Core/AccessLogs*"}},
		{guardPackage, "s3_bucket_object_lock_enabled_check", "", "prod locks what the lake holds; dev can be emptied, and logs and claim checks expire",
			[]string{"dev/Core/*", "prod/Core/AccessLogs*", "prod/Core/ClaimCheck*", "prod/Core/TrailLogs*"}},
		{guardPackage, "kms_create_grant_aws_service_check", "", "grants are allowed to services of AWS alone, by kms:GrantIsForAWSResource; the rule wants a statement that denies others",
			[]string{"*/Core/*Key*"}},
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
