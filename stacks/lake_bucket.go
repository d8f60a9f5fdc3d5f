package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// newLakeBucket makes the bucket that holds every message: versioned, logged and, where the environment says so, locked
// against deletion. The lock is of governance mode: a person with the permission s3:BypassGovernanceRetention can still
// delete what a court or a patient's right demands, and is seen doing it in the trail; nobody else can, nor can a rule. A
// legal hold on an object holds it beyond its years.
func newLakeBucket(scope constructs.Construct, id string, base Foundation, accessLogs awss3.Bucket) awss3.Bucket {
	zones := base.Zones
	props := awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Lake,
		BucketKeyEnabled: new(true), // one request to the key for many objects
		Versioned:        new(true),
		// The API sends whoever reads large content here, with an address that is the permission. A browser that is sent from
		// one foreign origin to another says no more where it comes from but "null" (Fetch Standard, HTTP-redirect fetch).
		Cors: &[]*awss3.CorsRule{{
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_GET},
			AllowedOrigins: texts(base.Console.origin(), "null"),
		}},
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

// denyOtherWriters lets nobody but the writer put an object in the lake, whatever else their own policies allow, and lets
// nobody overwrite one: a put must demand that there is no object yet (Amazon S3 User Guide, Enforce conditional writes).
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
