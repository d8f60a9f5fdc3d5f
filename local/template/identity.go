package template

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"hl7lake/local/wire"
)

// identify gives the resource the physical id and attributes that it would get
// when it is created. They depend on the stack's name and the logical id only,
// so that a lake that is started again finds its own data.
func (r *Resource) identify() {
	generated := r.Stack.Name + "-" + r.LogicalID + "-" + identifier(r.Stack.Name+"/"+r.LogicalID, 8)
	named := func(property string) string {
		if name, given := r.properties[property].(string); given {
			return name
		}
		return generated
	}
	short := identifier(r.Stack.Name+"/"+r.LogicalID, 10)
	switch r.Type {
	case "AWS::S3::Bucket":
		name := strings.ToLower(named("BucketName"))
		if len(name) > 63 { // the longest that S3 takes
			name = name[:54] + "-" + identifier(name, 8)
		}
		r.is(name, "arn:aws:s3:::"+name)
		r.Attributes["DomainName"] = name + ".s3.amazonaws.com"
		r.Attributes["RegionalDomainName"] = name + ".s3." + wire.Region + ".amazonaws.com"
	case "AWS::DynamoDB::Table":
		name := named("TableName")
		r.is(name, wire.ARN("dynamodb", "table/"+name))
	case "AWS::SNS::Topic":
		name := named("TopicName")
		r.is(wire.ARN("sns", name), wire.ARN("sns", name))
		r.Attributes["TopicArn"], r.Attributes["TopicName"] = r.PhysicalID, name
	case "AWS::SNS::Subscription":
		r.is(wire.ARN("sns", generated), wire.ARN("sns", generated))
	case "AWS::SQS::Queue":
		name := named("QueueName")
		r.is("https://sqs."+wire.Region+".amazonaws.com/"+wire.Account+"/"+name, wire.ARN("sqs", name))
		r.Attributes["QueueName"], r.Attributes["QueueUrl"] = name, r.PhysicalID
	case "AWS::Lambda::Function":
		name := named("FunctionName")
		if len(name) > 64 { // the longest that Lambda takes
			name = name[:55] + "-" + identifier(name, 8)
		}
		r.is(name, wire.ARN("lambda", "function:"+name))
	case "AWS::IAM::Role":
		name := named("RoleName")
		r.is(name, "arn:aws:iam::"+wire.Account+":role/"+name)
	case "AWS::Cognito::UserPool":
		id := wire.Region + "_" + short[:9]
		r.is(id, wire.ARN("cognito-idp", "userpool/"+id))
		provider := "cognito-idp." + wire.Region + ".amazonaws.com/" + id
		r.Attributes["UserPoolId"], r.Attributes["ProviderName"], r.Attributes["ProviderURL"] = id, provider, "https://"+provider
	case "AWS::Cognito::UserPoolClient":
		id := strings.ToLower(identifier(r.Stack.Name+"/"+r.LogicalID, 26))
		r.is(id, "")
		r.Attributes["ClientId"] = id
	case "AWS::ApiGatewayV2::Api":
		id := strings.ToLower(short)
		r.is(id, "")
		r.Attributes["ApiId"] = id
		r.Attributes["ApiEndpoint"] = "https://" + id + ".execute-api." + wire.Region + ".amazonaws.com"
	case "AWS::StepFunctions::StateMachine":
		name := named("StateMachineName")
		if len(name) > 80 { // the longest that Step Functions takes
			name = name[:71] + "-" + identifier(name, 8)
		}
		r.is(wire.ARN("states", "stateMachine:"+name), wire.ARN("states", "stateMachine:"+name))
		r.Attributes["Name"] = name
	case "AWS::Logs::LogGroup":
		name := named("LogGroupName")
		r.is(name, wire.ARN("logs", "log-group:"+name+":*"))
	case "AWS::KMS::Key":
		r.is(strings.ToLower(short), wire.ARN("kms", "key/"+strings.ToLower(short)))
	case "AWS::ApiGatewayV2::Authorizer":
		r.is(short, "")
		r.Attributes["AuthorizerId"] = short
	default:
		r.is(short, "")
	}
}

func (r *Resource) is(physicalID, arn string) {
	r.PhysicalID, r.Attributes = physicalID, map[string]string{}
	if arn != "" {
		r.Attributes["Arn"] = arn
	}
}

// identifier is a stable name of the given length made of A-Z and 2-7.
func identifier(seed string, length int) string {
	sum := sha256.Sum256([]byte(seed))
	return base32.StdEncoding.EncodeToString(sum[:])[:length]
}
