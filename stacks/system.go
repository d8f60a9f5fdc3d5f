package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// System is the stacks of the whole lake in one environment.
type System struct {
	Core       Core
	FrontDoor  FrontDoor
	StagingER7 StagingER7
	Tables     Tables
	Finder     *Finder // nil if the environment has none
}

// NewSystem defines the stacks of an environment and connects them.
func NewSystem(scope constructs.Construct, env Environment) System {
	core := NewCore(scope, "Core", CoreProps{Environment: env})
	door := NewFrontDoor(scope, "FrontDoor", FrontDoorProps{Core: core})
	system := System{
		Core:       core,
		FrontDoor:  door,
		StagingER7: NewStagingER7(scope, "StagingER7", StagingER7Props{Core: core}),
		Tables:     NewTables(scope, "Tables", TablesProps{Core: core, FrontDoor: door}),
	}
	if env.Finder != nil {
		system.Finder = new(NewFinder(scope, "Finder", FinderProps{Core: core, FrontDoor: door, Settings: env.Finder}))
	}
	return system
}

// newOutput makes a stack output whose logical id is its name, for `cdk deploy
// --outputs-file`.
func newOutput(stack awscdk.Stack, name string, value *string, description string) {
	awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value, Description: &description})
}
