package rehearse_test

// emulators are those on which a lake was rehearsed, with what they cannot do. docs/rehearsal.md has it in words.
var emulators = map[string]*kind{
	"ministack": {
		program:   "ministack",
		arguments: func(_, _ string) []string { return nil },
		environment: func(host, port string) []string {
			return []string{"BIND_HOST=" + host, "GATEWAY_PORT=" + port}
		},
		lacks: []missing{
			{kind: "AWS::CloudTrail::Trail", why: "unknown type"},
			{kind: "AWS::XRay::ResourcePolicy", why: "unknown type"},
			{kind: "AWS::Logs::QueryDefinition", why: "unknown type"},
			{kind: "AWS::CloudWatch::Alarm", with: "Metrics", why: "no metric math"},
			{kind: "Custom::S3AutoDeleteObjects", why: "its function does not run without a container"},
		},
		known: map[string]string{
			"AWS::S3::Bucket BucketEncryption":                      "SSE-S3 in place of the key",
			"AWS::StepFunctions::StateMachine LoggingConfiguration": "the destination is dropped",
			"AWS::StepFunctions::StateMachine TracingConfiguration": "dropped",
		},
	},
	"localemu": {
		program:   "localemu",
		arguments: func(host, port string) []string { return []string{"start", "--host", host, "--port", port} },
		environment: func(host, port string) []string {
			return []string{"GATEWAY_LISTEN=" + host + ":" + port}
		},
		lacksStackOutputs: true,
		lacks: []missing{
			{kind: "AWS::Lambda::Function", why: "no function without a container"},
			{kind: "AWS::Lambda::Permission", why: "of a function"},
			{kind: "AWS::Lambda::EventInvokeConfig", why: "of a function"},
			{kind: "Custom::S3AutoDeleteObjects", why: "its function does not run without a container"},
		},
		known: map[string]string{
			"AWS::ApiGatewayV2::Api":                                "no such type",
			"AWS::ApiGatewayV2::Authorizer":                         "no such type",
			"AWS::ApiGatewayV2::Integration":                        "no such type",
			"AWS::ApiGatewayV2::Route":                              "no such type",
			"AWS::ApiGatewayV2::Stage":                              "no such type",
			"AWS::CloudTrail::Trail":                                "no such type",
			"AWS::CloudWatch::Dashboard":                            "no such type",
			"AWS::Cognito::IdentityPool":                            "no such type",
			"AWS::Cognito::IdentityPoolPrincipalTag":                "no such type",
			"AWS::Cognito::IdentityPoolRoleAttachment":              "no such type",
			"AWS::Cognito::UserPool":                                "no such type",
			"AWS::Cognito::UserPoolClient":                          "no such type",
			"AWS::Cognito::UserPoolDomain":                          "no such type",
			"AWS::Cognito::UserPoolResourceServer":                  "no such type",
			"AWS::Logs::MetricFilter":                               "no such type",
			"AWS::Logs::QueryDefinition":                            "no such type",
			"AWS::XRay::ResourcePolicy":                             "no such type",
			"AWS::S3::Bucket BucketEncryption":                      "SSE-S3 in place of the key",
			"AWS::StepFunctions::StateMachine TracingConfiguration": "dropped",
		},
	},
	"moto": {
		lacksStackOutputs: true,
		program:           "moto_server",
		arguments:         func(host, port string) []string { return []string{"-H", host, "-p", port} },
		environment:       func(_, _ string) []string { return nil },
		lacks: []missing{
			{kind: "Custom::S3AutoDeleteObjects", why: "its function does not run without a container"},
		},
	},
	"running": {},
}
