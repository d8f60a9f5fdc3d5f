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
		mute: []string{"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}, // its CloudWatch answers CBOR with HTTP 500
		known: map[string]string{
			"AWS::Lambda::EventInvokeConfig":                        "not created",
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
	},
	"moto": {
		program:     "moto_server",
		arguments:   func(host, port string) []string { return []string{"-H", host, "-p", port} },
		environment: func(_, _ string) []string { return nil },
		lacks: []missing{
			{kind: "Custom::S3AutoDeleteObjects", why: "its function does not run without a container"},
		},
	},
	"running": {},
}
