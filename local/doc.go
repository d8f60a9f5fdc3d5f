// Package local runs a synthesized cloud assembly on one machine. It loads and resolves
// the CloudFormation templates that `cdk synth` writes, by default the committed
// snapshots, builds the functions that they name for this machine, and serves everything
// behind AWS's own wire protocols on one loopback port. Functions, the AWS CLI and any
// AWS SDK use it as they would use AWS.
//
//	local.go       Start, Lake, Close: who owns what
//	service.go     what a service is, and the list of them
//	provision.go   brings the resources to life; which types are ignored, and why
//	documents.go   refuses the policy documents that AWS would refuse
//	sources.go     the queues that feed functions
//	gateway.go     one port: which service a request is for, and who calls
//	credentials.go the credentials of each role, and of the person at the keyboard
//	build.go       builds the functions for this machine
//	metering.go    what AWS would charge for
//	folder.go      the data folder: its version, its lock
//	iam/ dynamodb/ s3/ sns/ sqs/ lambda/ schedule/ states/ cognito/ identity/ httpapi/   a service each; in resources.go its resource types
//	cloudformation/ cloudwatchlogs/ kms/ sts/   what clients and operators ask about all that
//	template/      CloudFormation templates and their intrinsic functions
//	resource/      what a resource type is
//	edge/          who is answered early hears the answer
//	fault/         what goes wrong on purpose, for tests
//	bill/          prices what was counted
//	wire/ store/   what the services share: protocols, durable storage
//
// A resource type, or a property of one, that means nothing on one machine is in a table
// with the reason: ignoredTypes, and the Ignored method of a type's properties.
// Lake.NotRun lists those that the templates use. Any other type, property or intrinsic
// function that is not known stops the start, and the error names it.
package local
