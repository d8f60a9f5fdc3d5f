package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"hl7lake/internal/contract"
	"hl7lake/tables"
)

// addTwin lets the function also write de-identified tables. It defines their database,
// and a policy for those who may read them.
func (t Tables) addTwin(base Foundation, tabulate Function) {
	// Another key would make other pseudonyms.
	key := newHashKey(t.Stack, "PseudonymKey", base, "pseudonyms in the de-identified tables", awsiam.NewArnPrincipal(tabulate.Lambda.Role().RoleArn()))
	tabulate.tell(contract.EnvTablesDeidKey, key.KeyArn())
	database := "hl7lake_" + base.Name + "_deid"
	t.addDatabase("TwinDatabase", "Twin", database, "hl7lake: messages of HL7v2 as tables, de-identified", tables.Deidentified(), partitioning{
		folder:   contract.TablesDeid + "/",
		columns:  [][2]string{{tables.PartitionSource, "string"}},
		template: "source=${source}/",
		// A query names its institution.
		projection: map[string]string{"projection.source.type": "injected"},
	})
	t.addTwinReaders(base, database)
}

// addTwinReaders makes a policy that lets roles of the account read the twin of all
// institutions, and nothing else. The operator attaches it. Users of the identity pool
// read the twin of the institutions that they may read.
func (t Tables) addTwinReaders(base Foundation, database string) {
	folder := contract.TablesDeid + "/*"
	policy := awsiam.NewManagedPolicy(t.Stack, new("TwinReaders"), &awsiam.ManagedPolicyProps{
		Description: new("Reads the de-identified tables of hl7lake"),
		Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions:   texts("s3:GetObject"),
				Resources: &[]*string{t.Bucket.ArnForObjects(&folder)},
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions:    texts("s3:ListBucket"),
				Resources:  &[]*string{t.Bucket.BucketArn()},
				Conditions: &map[string]any{"StringLike": map[string]any{"s3:prefix": folder}},
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions:   texts("kms:Decrypt"),
				Resources: &[]*string{base.Keys.Lake.KeyArn()},
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions: texts("glue:GetDatabase", "glue:GetTable", "glue:GetTables"),
				Resources: texts(arnOf(t.Stack, "glue", "catalog"), arnOf(t.Stack, "glue", "database/"+database),
					arnOf(t.Stack, "glue", "table/"+database+"/*")),
			}),
		},
	})
	accept(policy, "AwsSolutions-IAM5", "All files and tables of the twin.",
		`/^Resource::<Files[0-9A-F]{8}\.Arn>\/tables_deid\/\*$/`, `/^Resource::arn:.*:table\/hl7lake_[a-z]+_deid\/\*$/`)
	newOutput(t.Stack, contract.OutputTwinReaders, policy.ManagedPolicyArn(), "Policy for roles that read the de-identified tables")
}
