package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
)

// newBucket makes a bucket that can be reached over TLS only and never by the public, and
// whose requests are logged to the given bucket (nil for none). The caller's props say
// how it is encrypted and what happens to its objects.
func newBucket(
	scope constructs.Construct, id string, env Environment, accessLogs awss3.Bucket, props awss3.BucketProps,
) awss3.Bucket {
	props.BlockPublicAccess = awss3.BlockPublicAccess_BLOCK_ALL()
	props.ObjectOwnership = awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED
	props.EnforceSSL = new(true)
	props.MinimumTLSVersion = new(1.2)
	props.RemovalPolicy = env.removalPolicy()
	props.AutoDeleteObjects = new(!env.KeepData)
	if accessLogs != nil {
		props.ServerAccessLogsBucket = accessLogs
		props.ServerAccessLogsPrefix = new(id + "/")
	}
	bucket := awss3.NewBucket(scope, &id, &props)
	accept(bucket, "HIPAA.Security-S3BucketReplicationEnabled",
		"S3 keeps each object in three availability zones. A copy in a second region is a hospital's decision about where its "+
			"patients' data may be, and is made there.")
	return bucket
}

// lifecycle returns the rule for objects under a prefix, or for all if it is empty. Zero
// days means never.
func lifecycle(prefix string, coldAfterDays, expireAfterDays float64) *awss3.LifecycleRule {
	rule := &awss3.LifecycleRule{AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(new(7.0))}
	if prefix != "" {
		rule.Prefix = &prefix
	}
	if coldAfterDays > 0 {
		rule.Transitions = &[]*awss3.Transition{{
			StorageClass:    awss3.StorageClass_GLACIER_INSTANT_RETRIEVAL(),
			TransitionAfter: awscdk.Duration_Days(&coldAfterDays),
		}}
	}
	if expireAfterDays > 0 {
		rule.Expiration = awscdk.Duration_Days(&expireAfterDays)
		rule.NoncurrentVersionExpiration = awscdk.Duration_Days(new(1.0)) // in a versioned bucket, expired objects become noncurrent
	}
	return rule
}

// newAccessLogs makes the bucket to which S3 logs the requests to the other buckets. Keys
// hold ids only, no patient data.
func newAccessLogs(scope constructs.Construct, id string, env Environment) awss3.Bucket {
	bucket := newBucket(scope, id, env, nil, awss3.BucketProps{
		Encryption:     awss3.BucketEncryption_S3_MANAGED,
		Versioned:      new(true),
		LifecycleRules: &[]*awss3.LifecycleRule{lifecycle("", 0, env.AuditDays)},
	})
	accept(bucket, "HIPAA.Security-S3DefaultEncryptionKMS",
		"S3 delivers access logs only to buckets that are encrypted with its own keys (SSE-S3); they hold no message.")
	for _, rule := range []string{"AwsSolutions-S1", "HIPAA.Security-S3BucketLoggingEnabled"} {
		accept(bucket, rule, "This is the bucket of the access logs: logging its own requests would never come to rest.")
	}
	return bucket
}
