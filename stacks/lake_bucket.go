package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// newLakeBucket makes the bucket that holds every message. It is versioned, logged and,
// if the environment says so, locked against deletion. The lock uses governance mode. A
// person with the permission s3:BypassGovernanceRetention can still delete what a court
// or a patient's right requires, which the trail records. Nobody else can, and no rule
// can. A legal hold keeps an object beyond its years.
func newLakeBucket(scope constructs.Construct, id string, base Foundation, accessLogs awss3.Bucket) awss3.Bucket {
	zones := base.Zones
	props := awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Lake,
		BucketKeyEnabled: new(true), // one request to the key for many objects
		Versioned:        new(true),
		LifecycleRules: &[]*awss3.LifecycleRule{
			lifecycle(contract.ZoneIngestion+"/", zones.Ingestion.ColdAfterDays, zones.Ingestion.ExpireAfterDays),
			lifecycle(contract.ZoneStaging+"/", zones.Staging.ColdAfterDays, zones.Staging.ExpireAfterDays),
			lifecycle(contract.ZoneError+"/", zones.Error.ColdAfterDays, zones.Error.ExpireAfterDays),
		},
	}
	if base.LockYears > 0 {
		props.ObjectLockEnabled = new(true)
		props.ObjectLockDefaultRetention = awss3.ObjectLockRetention_Governance(awscdk.Duration_Days(new(base.LockYears * 365)))
	}
	return newBucket(scope, id, base.Environment, accessLogs, props)
}

// denyOtherWriters allows only the writer to put objects into the lake, whatever else
// other policies allow, and allows nobody to overwrite one: a put must require that the
// object does not exist yet (Amazon S3 User Guide, Enforce conditional writes).
func denyOtherWriters(lake awss3.Bucket, writer awsiam.IRole) {
	deny := func(sid string, condition map[string]any) {
		lake.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        &sid,
			Effect:     awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions:    texts("s3:PutObject"),
			Resources:  &[]*string{lake.ArnForObjects(new("*"))},
			Conditions: &condition,
		}))
	}
	deny("OnlyTheWriterWrites", map[string]any{"ArnNotEquals": map[string]any{"aws:PrincipalArn": writer.RoleArn()}})
	deny("NothingIsOverwritten", map[string]any{"Null": map[string]any{"s3:if-none-match": "true"}})
}
