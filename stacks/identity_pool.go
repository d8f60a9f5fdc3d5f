package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"hl7lake/internal/contract"
)

// tagValue is what a policy says for the value of a session's tag.
func tagValue(name string) string { return "${aws:PrincipalTag/" + name + "}" }

// identities is the identity pool and the role of those who get credentials of it.
type identities struct {
	pool    awscognito.CfnIdentityPool
	readers awsiam.Role
}

// newIdentities lets users read the lake in S3, say from Athena or DuckDB, with
// credentials that they get for an ID token of one of the clients. All share one role;
// what differs are the session's tags `read`, `read2` and so on, which Cognito takes from
// the token's custom:read, custom:read2 … and which the role's policy puts in the place
// of an institution's name. A user without a claim has no such tag, and a policy with a
// variable that has no value grants nothing.
func newIdentities(
	stack awscdk.Stack, id string, core Core, users awscognito.UserPool, clients ...awscognito.UserPoolClient,
) identities {
	var providers []any
	for _, client := range clients {
		providers = append(providers, &awscognito.CfnIdentityPool_CognitoIdentityProviderProperty{
			ClientId:             client.UserPoolClientId(),
			ProviderName:         users.UserPoolProviderName(),
			ServerSideTokenCheck: new(true), // a revoked token gives no access
		})
	}
	pool := awscognito.NewCfnIdentityPool(stack, &id, &awscognito.CfnIdentityPoolProps{
		AllowUnauthenticatedIdentities: new(false),
		AllowClassicFlow:               new(false),
		CognitoIdentityProviders:       &providers,
	})
	tags := map[string]string{}
	for _, name := range readNames() {
		tags[name] = contract.ClaimPrefix + name
	}
	awscognito.NewCfnIdentityPoolPrincipalTag(stack, new(id+"Tags"), &awscognito.CfnIdentityPoolPrincipalTagProps{
		IdentityPoolId:       pool.Ref(),
		IdentityProviderName: users.UserPoolProviderName(),
		UseDefaults:          new(false),
		PrincipalTags:        tags,
	})
	role := newReaderRole(stack, id+"Reader", pool)
	for _, statement := range core.letReadTagged() {
		role.AddToPolicy(statement)
	}
	grantDecrypt(role, core.Foundation.Keys.Lake)
	accept(role, "HIPAA.Security-IAMNoInlinePolicy", "The policy is of this role and goes with it.")
	accept(role, "AwsSolutions-IAM5", "All objects of one institution, which a tag of the session names.",
		`/^Resource::<Lake[0-9A-F]{8}\.Arn>\/(ingestion|staging|error)\/protocol=\*\/source=<aws:PrincipalTag\/read[2-4]?>\/\*$/`)
	awscognito.NewCfnIdentityPoolRoleAttachment(stack, new(id+"Roles"), &awscognito.CfnIdentityPoolRoleAttachmentProps{
		IdentityPoolId: pool.Ref(),
		Roles:          map[string]*string{"authenticated": role.RoleArn()},
	})
	return identities{pool, role}
}

// newReaderRole makes the role of signed-in users. Nobody else can assume it: the token
// must be of this pool and of a user.
func newReaderRole(stack awscdk.Stack, id string, pool awscognito.CfnIdentityPool) awsiam.Role {
	conditions := map[string]any{
		"StringEquals":           map[string]any{"cognito-identity.amazonaws.com:aud": pool.Ref()},
		"ForAnyValue:StringLike": map[string]any{"cognito-identity.amazonaws.com:amr": "authenticated"},
	}
	identities := awsiam.NewFederatedPrincipal(new("cognito-identity.amazonaws.com"), &conditions,
		new("sts:AssumeRoleWithWebIdentity"))
	return awsiam.NewRole(stack, &id, &awsiam.RoleProps{
		Description:        new("Reads the lake's objects of the institutions in the session's tags"),
		AssumedBy:          identities.WithSessionTags(),
		MaxSessionDuration: awscdk.Duration_Hours(new(1.0)),
	})
}

// letReadTagged lets a session read what the lake has of the institutions in its tags.
func (c Core) letReadTagged() []awsiam.PolicyStatement {
	var folders []string
	for _, zone := range []string{contract.ZoneIngestion, contract.ZoneStaging, contract.ZoneError} {
		folders = append(folders, zone+"/protocol=*")
	}
	return letReadTagged(c.Lake, folders...)
}

// letReadTagged lets a session read a bucket's objects of the institutions in its tags,
// in the folder source=<institution> of each of the folders, and list them. Each tag has
// statements of its own: one that is absent leaves those of the others as they are. An
// empty tag would name the objects of nobody; it is refused too. A star in a
// folder's name could stand for slashes too, so a key of the bucket must have one part
// that begins with source=.
func letReadTagged(bucket awss3.Bucket, folders ...string) []awsiam.PolicyStatement {
	var statements []awsiam.PolicyStatement
	for _, tag := range readNames() {
		var objects, prefixes []*string
		for _, folder := range folders {
			prefix := folder + "/source=" + tagValue(tag) + "/*"
			objects, prefixes = append(objects, bucket.ArnForObjects(&prefix)), append(prefixes, &prefix)
		}
		key := "aws:PrincipalTag/" + tag
		statements = append(statements, awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:    texts("s3:GetObject"),
			Resources:  &objects,
			Conditions: &map[string]any{"StringLike": map[string]any{key: "?*"}},
		}), awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:    texts("s3:ListBucket"),
			Resources:  &[]*string{bucket.BucketArn()},
			Conditions: &map[string]any{"StringLike": map[string]any{key: "?*", "s3:prefix": prefixes}},
		}))
	}
	return statements
}

// letReaders lets the users of the identity pool do more, by a policy of the given stack,
// which depends on FrontDoor then. FrontDoor does not change: it tells the role's name in
// any case.
func (d FrontDoor) letReaders(stack awscdk.Stack, id string, statements ...awsiam.PolicyStatement) awsiam.Policy {
	name := awscdk.Fn_GetStackOutput(d.StackName(), new(contract.OutputReaders), stack.Region(), nil)
	policy := awsiam.NewPolicy(stack, &id, &awsiam.PolicyProps{
		Roles:      &[]awsiam.IRole{awsiam.Role_FromRoleName(stack, new(id+"Role"), name, nil)},
		Statements: &statements,
	})
	stack.AddStackDependency(d.Stack, nil)
	return policy
}
