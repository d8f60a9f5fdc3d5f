package rehearse_test

import "slices"

// The reasons for which an emulator lacks something.
const (
	noType      = "its CloudFormation does not know the type"
	noContainer = "it runs functions in containers only"
)

// cleaner is the custom resource that empties a bucket before it is deleted. Its function
// would have to run.
const cleaner = "Custom::S3AutoDeleteObjects"

// emulators are those on which a lake was rehearsed, with what they cannot do.
// docs/rehearsal.md says what that is worth.
var emulators = map[string]*kind{"ministack": ministack(), "localemu": localemu(), "moto": moto(), "running": {}}

// ministack is version 1.5.33, with cbor2, without which its CloudWatch does not
// understand the SDK for Go.
func ministack() *kind {
	lacks := lacking(noType, "AWS::Athena::NamedQuery", "AWS::CloudTrail::Trail", "AWS::Logs::QueryDefinition", "AWS::XRay::ResourcePolicy")
	return &kind{
		program:     "ministack",
		arguments:   func(_, _ string) []string { return nil },
		environment: func(host, port string) []string { return []string{"BIND_HOST=" + host, "GATEWAY_PORT=" + port} },
		lacks: append(lacks,
			missing{kind: "AWS::CloudWatch::Alarm", with: "Metrics", why: "it has no metric math"},
			missing{kind: cleaner, why: noContainer},
		),
		known: map[string]string{
			"AWS::S3::Bucket BucketEncryption":                      "SSE-S3 in place of the key",
			"AWS::StepFunctions::StateMachine LoggingConfiguration": "the destination is dropped",
			"AWS::StepFunctions::StateMachine TracingConfiguration": "dropped",
		},
	}
}

// localemu is version 1.3.2 on Python 3.12 or later.
func localemu() *kind {
	known := map[string]string{
		"AWS::S3::Bucket BucketEncryption":                      "SSE-S3 in place of the key",
		"AWS::StepFunctions::StateMachine TracingConfiguration": "dropped",
	}
	for _, kind := range []string{ // it says that it created them, under the name "unknown"
		"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration",
		"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CloudTrail::Trail", "AWS::CloudWatch::Dashboard",
		"AWS::Cognito::IdentityPool", "AWS::Cognito::IdentityPoolPrincipalTag", "AWS::Cognito::IdentityPoolRoleAttachment",
		"AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain",
		"AWS::Cognito::UserPoolResourceServer", "AWS::Logs::MetricFilter", "AWS::Logs::QueryDefinition",
		"AWS::XRay::ResourcePolicy",
	} {
		known[kind] = noType
	}
	return &kind{
		program:           "localemu",
		arguments:         func(host, port string) []string { return []string{"start", "--host", host, "--port", port} },
		environment:       func(host, port string) []string { return []string{"GATEWAY_LISTEN=" + host + ":" + port} },
		lacksStackOutputs: true,
		lacks: lacking(noContainer,
			"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function", "AWS::Lambda::Permission", cleaner),
		known: known,
	}
}

// moto is version 5.2.1.
func moto() *kind {
	return &kind{
		program:           "moto_server",
		arguments:         func(host, port string) []string { return []string{"-H", host, "-p", port} },
		environment:       func(_, _ string) []string { return nil },
		method:            "direct", // there, a stack made by a change set has no outputs
		lacksStackOutputs: true,
		lacks: slices.Concat(
			lacking(noContainer, cleaner),
			lacking(noType,
				"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration",
				"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CloudTrail::Trail", "AWS::CloudWatch::Alarm",
				"AWS::Cognito::IdentityPool", "AWS::Cognito::IdentityPoolPrincipalTag", "AWS::Cognito::IdentityPoolRoleAttachment",
				"AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain",
				"AWS::Cognito::UserPoolResourceServer", "AWS::Lambda::EventInvokeConfig", "AWS::Logs::MetricFilter",
				"AWS::Logs::QueryDefinition", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy",
				"AWS::SQS::QueuePolicy", "AWS::XRay::ResourcePolicy"),
		),
		known: map[string]string{
			"AWS::CloudWatch::Dashboard":                            "CloudFormation has it; CloudWatch's answer is not one that the SDK reads",
			"AWS::Lambda::Function Architectures":                   "x86_64 in place of arm64",
			"AWS::Lambda::Function LoggingConfig":                   "dropped",
			"AWS::Lambda::Function TracingConfig":                   "dropped",
			"AWS::S3::Bucket BucketEncryption":                      "the bucket key is dropped",
			"AWS::S3::Bucket OwnershipControls":                     "dropped",
			"AWS::S3::Bucket PublicAccessBlockConfiguration":        "dropped",
			"AWS::S3::Bucket VersioningConfiguration":               "dropped",
			"AWS::StepFunctions::StateMachine LoggingConfiguration": "the destination is dropped",
			"AWS::StepFunctions::StateMachine TracingConfiguration": "dropped",
		},
	}
}

// lacking gives one reason for several types.
func lacking(why string, kinds ...string) []missing {
	var lacks []missing
	for _, kind := range kinds {
		lacks = append(lacks, missing{kind: kind, why: why})
	}
	return lacks
}
