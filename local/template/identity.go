package template

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"strings"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// identify gives the resource the physical id and attributes that it would get
// when it is created. They depend on the stack's name and the logical id only,
// so that a lake that is started again finds its own data.
func (r *Resource) identify() {
	r.PhysicalID, r.Attributes = r.short(), map[string]string{}
	if identify, known := identities()[r.Type]; known {
		id, attributes := identify(r)
		r.PhysicalID = id
		maps.Copy(r.Attributes, attributes)
	}
}

type attributes map[string]string

// identities says, by type, what Ref gives and which attributes Fn::GetAtt
// finds. A type that is not here has an opaque id and no attributes.
func identities() map[string]func(*Resource) (string, attributes) {
	return map[string]func(*Resource) (string, attributes){
		"AWS::S3::Bucket": func(r *Resource) (string, attributes) {
			name := strings.ToLower(r.name("BucketName", 63))
			return name, attributes{
				"Arn": "arn:aws:s3:::" + name, "DomainName": name + ".s3.amazonaws.com",
				"RegionalDomainName": name + ".s3." + wire.Region + ".amazonaws.com",
			}
		},
		"AWS::DynamoDB::Table": func(r *Resource) (string, attributes) {
			name := r.name("TableName", 255)
			return name, attributes{"Arn": wire.ARN("dynamodb", "table/"+name)}
		},
		"AWS::SNS::Topic": func(r *Resource) (string, attributes) {
			name := r.name("TopicName", 256)
			arn := wire.ARN("sns", name)
			return arn, attributes{"TopicArn": arn, "TopicName": name}
		},
		"AWS::SNS::Subscription": func(r *Resource) (string, attributes) {
			arn := wire.ARN("sns", r.name("", 256))
			return arn, attributes{"Arn": arn}
		},
		"AWS::SQS::Queue": func(r *Resource) (string, attributes) {
			name := r.name("QueueName", 80)
			url := "https://sqs." + wire.Region + ".amazonaws.com/" + wire.Account + "/" + name
			return url, attributes{"Arn": wire.ARN("sqs", name), "QueueName": name, "QueueUrl": url}
		},
		"AWS::Lambda::Function": func(r *Resource) (string, attributes) {
			name := r.name("FunctionName", 64)
			return name, attributes{"Arn": wire.ARN("lambda", "function:"+name)}
		},
		"AWS::IAM::Role": func(r *Resource) (string, attributes) {
			name := r.name("RoleName", 64)
			return name, attributes{"Arn": "arn:aws:iam::" + wire.Account + ":role/" + name}
		},
		"AWS::StepFunctions::StateMachine": func(r *Resource) (string, attributes) {
			name := r.name("StateMachineName", 80)
			arn := wire.ARN("states", "stateMachine:"+name)
			return arn, attributes{"Arn": arn, "Name": name}
		},
		"AWS::Logs::LogGroup": func(r *Resource) (string, attributes) {
			name := r.name("LogGroupName", 512)
			return name, attributes{"Arn": wire.ARN("logs", "log-group:"+name+":*")}
		},
		"AWS::Events::Rule": func(r *Resource) (string, attributes) {
			name := r.name("Name", 64)
			return name, attributes{"Arn": wire.ARN("events", "rule/"+name)}
		},
		"AWS::KMS::Key": func(r *Resource) (string, attributes) {
			id := strings.ToLower(r.short())
			return id, attributes{"KeyId": id, "Arn": wire.ARN("kms", "key/"+id)}
		},
		"AWS::Cognito::UserPool": func(r *Resource) (string, attributes) {
			id := wire.Region + "_" + r.short()[:9]
			provider := "cognito-idp." + wire.Region + ".amazonaws.com/" + id
			return id, attributes{
				"Arn": wire.ARN("cognito-idp", "userpool/"+id), "UserPoolId": id,
				"ProviderName": provider, "ProviderURL": "https://" + provider,
			}
		},
		"AWS::Cognito::UserPoolDomain": func(r *Resource) (string, attributes) {
			return r.name("Domain", 63), nil
		},
		"AWS::Cognito::UserPoolClient": func(r *Resource) (string, attributes) {
			id := strings.ToLower(digest(r.seed(), 26))
			return id, attributes{"ClientId": id}
		},
		"AWS::Cognito::IdentityPool": func(r *Resource) (string, attributes) {
			id := wire.Region + ":" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.seed())).String()
			return id, attributes{"Name": r.name("IdentityPoolName", 128)}
		},
		"AWS::ApiGatewayV2::Api": func(r *Resource) (string, attributes) {
			id := strings.ToLower(r.short())
			return id, attributes{"ApiId": id, "ApiEndpoint": "https://" + id + ".execute-api." + wire.Region + ".amazonaws.com"}
		},
		"AWS::ApiGatewayV2::Authorizer": func(r *Resource) (string, attributes) {
			return r.short(), attributes{"AuthorizerId": r.short()}
		},
	}
}

// name is the resource's name: what the property says or, where it says
// nothing, one made of the stack's name, the logical id and a digest of both, as
// CloudFormation makes it. It has at most longest characters.
func (r *Resource) name(property string, longest int) string {
	if given, is := r.properties[property].(string); is {
		return given
	}
	name, suffix := r.Stack.Name+"-"+r.LogicalID, "-"+digest(r.seed(), 8)
	return name[:min(len(name), longest-len(suffix))] + suffix
}

// short is an id that says nothing.
func (r *Resource) short() string { return digest(r.seed(), 10) }

func (r *Resource) seed() string { return r.Stack.Name + "/" + r.LogicalID }

// digest is a text of the given length, A-Z and 2-7, that depends on seed only.
func digest(seed string, length int) string {
	sum := sha256.Sum256([]byte(seed))
	return base32.StdEncoding.EncodeToString(sum[:])[:length]
}
