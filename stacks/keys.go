package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
)

// Keys are the customer-managed keys, one for each class of data: a person who may read
// the logs cannot read the lake.
type Keys struct {
	// Lake encrypts messages at rest: the lake's bucket and the claim-check bucket.
	Lake awskms.Key
	// Hub encrypts messages in transit: the hub topic and the dead-letter queues.
	Hub awskms.Key
	// Tables encrypts the catalog and the received hashes.
	Tables awskms.Key
	// Logs encrypts what describes the system without holding a message: logs, the trail,
	// alarms.
	Logs awskms.Key
}

// newKeys makes the keys of an environment.
func newKeys(stack awscdk.Stack, env Environment) Keys {
	keys := Keys{
		Lake:   newKey(stack, "LakeKey", env, "messages at rest", "s3"),
		Hub:    newKey(stack, "HubKey", env, "messages on their way", "sns", "sqs"),
		Tables: newKey(stack, "TablesKey", env, "catalog and received hashes", "dynamodb"),
		Logs:   newKey(stack, "LogsKey", env, "logs, trail and alarms", "s3", "sns"),
	}
	// SNS sends to a dead-letter queue what it could not deliver.
	letUse(keys.Hub, "sns.amazonaws.com", map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()},
	})
	letUse(keys.Logs, "logs."+*stack.Region()+".amazonaws.com", map[string]any{
		"ArnLike": map[string]any{"kms:EncryptionContext:aws:logs:arn": []string{
			arnOf(stack, "logs", "log-group:hl7lake-"+env.Name+"-*"),
			arnOf(stack, "logs", "log-group:"+vendedLogs+"states/hl7lake-"+env.Name+"-*"),
		}},
	})
	letUse(keys.Logs, "cloudtrail.amazonaws.com", map[string]any{
		"StringLike": map[string]any{"kms:EncryptionContext:aws:cloudtrail:arn": arnOf(stack, "cloudtrail", "trail/*")},
	})
	// With a bucket key, S3 decrypts under its own encryption context, which does not
	// name the trail (AWS CloudTrail User Guide, Configure AWS KMS key policies for
	// CloudTrail).
	letService(keys.Logs, "cloudtrail.amazonaws.com", map[string]any{
		"ArnLike": map[string]any{"aws:SourceArn": arnOf(stack, "cloudtrail", "trail/*")},
	}, "kms:Decrypt")
	// CloudWatch publishes on the alarm topic (Amazon SNS Developer Guide, Managing
	// Amazon SNS encryption keys and costs).
	letUse(keys.Logs, "cloudwatch.amazonaws.com", map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()},
	})
	return keys
}

// newKey makes a key that is rotated each year and can be used only through the named
// services. Its policy separates administration from use. Administrators of the account
// can manage the key but cannot decrypt with it. A role that may use it does so through a
// service, which also checks the permission for the object, message or item. Which roles
// these are is in their own policies: see the grant methods of [Keys].
func newKey(stack awscdk.Stack, id string, env Environment, holds string, services ...string) awskms.Key {
	var through []*string
	for _, service := range services {
		through = append(through, new(service+"."+*stack.Region()+".amazonaws.com"))
	}
	account := awsiam.NewAccountRootPrincipal()
	policy := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		letAdministerKey(),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        new("UseThroughServices"),
			Principals: &[]awsiam.IPrincipal{account},
			Resources:  &[]*string{new("*")},
			Actions:    texts(append(encrypting(), "kms:Decrypt", "kms:DescribeKey")...),
			Conditions: &map[string]any{"StringEquals": map[string]any{"kms:ViaService": through}},
		}),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        new("ServicesOnTheirOwn"), // DynamoDB keeps a grant to the key of each table
			Principals: &[]awsiam.IPrincipal{account},
			Resources:  &[]*string{new("*")},
			Actions:    texts("kms:CreateGrant"),
			Conditions: &map[string]any{
				"StringEquals": map[string]any{"kms:ViaService": through},
				"Bool":         map[string]any{"kms:GrantIsForAWSResource": "true"},
			},
		}),
	}})
	return awskms.NewKey(stack, &id, &awskms.KeyProps{
		Description:       new("hl7lake " + env.Name + ": " + holds),
		EnableKeyRotation: new(true),
		PendingWindow:     awscdk.Duration_Days(new(env.KeyDeletionDays)),
		RemovalPolicy:     env.removalPolicy(),
		Policy:            policy,
	})
}

// newHashKey makes a key for keyed hashes, which never leaves KMS. Only the principals may
// use it: with it, everything that was hashed could be found by trying. KMS does not rotate
// such a key (AWS KMS Developer Guide, HMAC keys).
func newHashKey(stack awscdk.Stack, id string, base Foundation, holds string, principals ...awsiam.IPrincipal) awskms.Key {
	return awskms.NewKey(stack, &id, &awskms.KeyProps{
		Description:   new("hl7lake " + base.Name + ": " + holds),
		KeySpec:       awskms.KeySpec_HMAC_256,
		KeyUsage:      awskms.KeyUsage_GENERATE_VERIFY_MAC,
		PendingWindow: awscdk.Duration_Days(new(base.KeyDeletionDays)),
		RemovalPolicy: base.removalPolicy(),
		Policy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			letAdministerKey(),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid:        new("Hashes"),
				Principals: &principals,
				Resources:  &[]*string{new("*")}, // in a key's policy: this key
				Actions:    texts("kms:GenerateMac"),
			}),
		}}),
	})
}

// letAdministerKey lets the account's administrators manage a key, and not use it.
func letAdministerKey() awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        new("Administration"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewAccountRootPrincipal()},
		Resources:  &[]*string{new("*")}, // in a key's policy: this key
		Actions: texts("kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
			"kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
			"kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy",
			"kms:RetireGrant", "kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource",
			"kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription"),
	})
}

// letUse lets an AWS service use the key on its own, under the conditions. It may
// describe the key without any, because that call has no encryption context.
func letUse(key awskms.Key, service string, conditions map[string]any) {
	letService(key, service, conditions, append(encrypting(), "kms:Decrypt")...)
	letService(key, service, nil, "kms:DescribeKey")
}

// letService adds a statement about an AWS service to the key's policy.
func letService(key awskms.Key, service string, conditions map[string]any, actions ...string) {
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(&service, nil)},
		Resources:  &[]*string{new("*")},
		Actions:    texts(actions...),
		Conditions: &conditions,
	}), nil)
}

// encrypting are the actions that a service performs with a key on behalf of a writer.
func encrypting() []string {
	return []string{"kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
}

// grantDecrypt lets the grantee decrypt what the key encrypts, if it may read it at all.
func grantDecrypt(grantee awsiam.IGrantable, key awskms.Key) {
	grant(grantee, []string{"kms:Decrypt"}, key.KeyArn())
}

// grantEncrypt lets the grantee encrypt with the key, if it may write at all. S3, SNS and
// SQS ask for a data key, and decrypt it again when they verify or repeat.
func grantEncrypt(grantee awsiam.IGrantable, key awskms.Key) {
	grant(grantee, []string{"kms:Decrypt", "kms:GenerateDataKey"}, key.KeyArn())
}

// grantTableKey lets the grantee use tables. DynamoDB encrypts each table's key with
// ours, and needs all of these actions both to read and to write (Amazon DynamoDB
// Developer Guide, Encryption at rest).
func grantTableKey(grantee awsiam.IGrantable, key awskms.Key) {
	grant(grantee, append(encrypting(), "kms:Decrypt", "kms:DescribeKey"), key.KeyArn())
}
