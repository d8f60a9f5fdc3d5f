package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// Lake is the whole system in one environment.
type Lake struct {
	Core       Core
	FrontDoor  FrontDoor
	StagingER7 StagingER7
	Tables     Tables
}

// NewLake defines the stacks of an environment and connects them.
func NewLake(scope constructs.Construct, env Environment) Lake {
	core := NewCore(scope, "Core", CoreProps{Environment: env})
	return Lake{
		Core:       core,
		FrontDoor:  NewFrontDoor(scope, "FrontDoor", FrontDoorProps{Core: core}),
		StagingER7: NewStagingER7(scope, "StagingER7", StagingER7Props{Core: core}),
		Tables:     NewTables(scope, "Tables", TablesProps{Core: core}),
	}
}

// newOutput makes a stack output whose logical id is its name, for `cdk deploy
// --outputs-file`.
func newOutput(stack awscdk.Stack, name string, value *string, description string) {
	awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value, Description: &description})
}
