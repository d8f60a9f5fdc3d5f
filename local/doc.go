// Package local runs a synthesized cloud assembly on one machine: the
// CloudFormation templates that `cdk synth` writes, by default the committed
// snapshots, are loaded and resolved, the functions they name are built for
// this machine, and everything is served behind AWS's own wire protocols on one
// loopback port, so that functions, the AWS CLI and any AWS SDK talk to it as
// they would talk to AWS.
//
//	local.go       Start, Lake, Close: who owns what
//	provision.go   which resource types are run and which are ignored, and why
//	resources.go   from a template's resource to the service that runs it
//	documents.go   refuses the policy documents that AWS would refuse
//	gateway.go     one port: which service a request is for, and who calls
//	credentials.go the credentials of each role, and of the person at the keyboard
//	build.go       builds the functions for this machine
//	metering.go    what AWS would charge for
//	folder.go      the data folder: its version, its lock
//	template/      CloudFormation templates and their intrinsic functions
//	iam/           who may do what, from the templates' policies
//	dynamodb/ s3/ sns/ sqs/ lambda/ states/ cognito/ identity/ sts/ httpapi/   a service each
//	cloudformation/ cloudwatchlogs/ kms/   what clients and operators ask about all that; operator.go wires them
//	edge/          the HTTP server: a bad head is the client's fault
//	schedule/      EventBridge rules that fire at a rate
//	fault/         what goes wrong on purpose, for tests
//	timescale.go   the templates' time-outs in a fraction of their time, for tests
//	bill/          prices what was counted
//	wire/ store/   what the services share: protocols, durable storage
//
// A resource type, or a property of one, that means nothing on one machine stands
// in a table with the reason: ignoredTypes, and the Ignored method beside each
// type. Lake.NotRun lists those that the templates use. Any other type, property
// or intrinsic function that is not understood stops the start with its name.
package local
