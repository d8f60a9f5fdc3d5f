package test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// keyPolicies returns the statements of the policies of all keys of an assembly that
// encrypt, by the key's logical id.
func keyPolicies(t *testing.T, assembly assembly) map[string][]map[string]any {
	t.Helper()
	policies := map[string][]map[string]any{}
	for _, stack := range assembly {
		for name, resource := range stack.template.Resources {
			if resource.Type != "AWS::KMS::Key" || resource.Properties["KeySpec"] == "HMAC_256" {
				continue
			}
			if resource.Properties["EnableKeyRotation"] != true {
				t.Errorf("%s is not rotated", name)
			}
			for _, each := range resource.Properties["KeyPolicy"].(map[string]any)["Statement"].([]any) {
				policies[name] = append(policies[name], each.(map[string]any))
			}
		}
	}
	if len(policies) != 4 {
		t.Fatalf("%d keys, want 4", len(policies))
	}
	return policies
}

// TestWhoAdministersAKeyCannotDecryptWithIt looks at every statement that gives the
// account's administrators a key: what decrypts, or lets others decrypt, is allowed
// through a service only.
func TestWhoAdministersAKeyCannotDecryptWithIt(t *testing.T) {
	uses := []string{"kms:Decrypt", "kms:ReEncryptFrom", "kms:CreateGrant", "kms:GenerateDataKey"}
	for env, assembly := range assemblies {
		for key, statements := range keyPolicies(t, assembly) {
			for _, statement := range statements {
				principal, _ := json.Marshal(statement["Principal"])
				if !strings.Contains(string(principal), ":root") {
					continue
				}
				conditions, _ := json.Marshal(statement["Condition"])
				for _, action := range stringsOf(statement["Action"]) {
					if strings.Contains(action, "*") {
						t.Errorf("%s %s: all of %s", env, key, action)
					}
					if slices.Contains(uses, action) && !strings.Contains(string(conditions), `"kms:ViaService"`) {
						t.Errorf("%s %s: %s without a service between", env, key, action)
					}
				}
			}
		}
	}
}

// TestWhatHoldsDataHasAKeyOfOurs has the property with which each type names its key.
func TestWhatHoldsDataHasAKeyOfOurs(t *testing.T) {
	keyed := map[string]string{
		"AWS::S3::Bucket": "BucketEncryption", "AWS::DynamoDB::Table": "SSESpecification", "AWS::SQS::Queue": "KmsMasterKeyId",
		"AWS::SNS::Topic": "KmsMasterKeyId", "AWS::Logs::LogGroup": "KmsKeyId", "AWS::CloudTrail::Trail": "KMSKeyId",
	}
	for env, assembly := range assemblies {
		seen := map[string]bool{}
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				property, holds := keyed[resource.Type]
				if !holds || strings.HasPrefix(name, "AccessLogs") && resource.Type == "AWS::S3::Bucket" { // which S3 supports with its own key only
					continue
				}
				seen[resource.Type] = true
				if text, _ := json.Marshal(resource.Properties[property]); !strings.Contains(string(text), "Key") {
					t.Errorf("%s %s/%s: %s is %s", env, id, name, property, text)
				}
			}
		}
		if len(seen) != len(keyed) {
			t.Errorf("%s: only %v were seen", env, seen)
		}
	}
}

// TestNothingIsReachedWithoutTLS looks for the denial in the policy of every bucket,
// queue and topic.
func TestNothingIsReachedWithoutTLS(t *testing.T) {
	for env, assembly := range assemblies {
		guarded, policies := 0, 0
		for _, stack := range assembly {
			for _, resource := range stack.template.Resources {
				switch resource.Type {
				case "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic":
					guarded++
				case "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy":
					if text, _ := json.Marshal(resource.Properties); strings.Contains(string(text), `{"Bool":{"aws:SecureTransport":"false"}}`) {
						policies++
					}
				}
			}
		}
		if guarded == 0 || policies != guarded {
			t.Errorf("%s: %d of %d refuse what comes without TLS", env, policies, guarded)
		}
	}
}

// TestTheTrailsKeyDecryptsForABucketKey: S3 then decrypts in an encryption context of its
// own, so that a condition on the trail's context never holds (AWS CloudTrail User Guide,
// Configure AWS KMS key policies for CloudTrail).
func TestTheTrailsKeyDecryptsForABucketKey(t *testing.T) {
	for env, assembly := range assemblies {
		decrypts := false
		for _, statement := range keyPolicies(t, assembly)["LogsKeyA6AB43B2"] {
			principal, _ := json.Marshal(statement["Principal"])
			conditions, _ := json.Marshal(statement["Condition"])
			if strings.Contains(string(principal), "cloudtrail.amazonaws.com") &&
				slices.Contains(stringsOf(statement["Action"]), "kms:Decrypt") &&
				!strings.Contains(string(conditions), "kms:EncryptionContext") {
				decrypts = strings.Contains(string(conditions), "aws:SourceArn")
			}
		}
		if !decrypts {
			t.Errorf("%s: CloudTrail cannot decrypt", env)
		}
	}
}

// TestAServiceThatUsesAKeyByItselfIsTiedToTheAccount: without a condition, anybody's
// alarm or topic could make a service use the key.
func TestAServiceThatUsesAKeyByItselfIsTiedToTheAccount(t *testing.T) {
	for env, assembly := range assemblies {
		for key, statements := range keyPolicies(t, assembly) {
			for _, statement := range statements {
				principal, _ := json.Marshal(statement["Principal"])
				conditions, _ := json.Marshal(statement["Condition"])
				looks := slices.Equal(stringsOf(statement["Action"]), []string{"kms:DescribeKey"})
				if strings.Contains(string(principal), "Service") && !looks && !strings.Contains(string(conditions), "AWS::AccountId") {
					t.Errorf("%s %s: %s under the conditions %s", env, key, principal, conditions)
				}
			}
		}
	}
}
