// Command hl7lake is the CDK app: it writes the CloudFormation templates of one
// environment's stacks. It is run by the CDK command line (see cdk.json), which
// chooses the environment: `npx cdk diff -c env=prod`.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"hl7lake/stacks"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	name, _ := app.Node().TryGetContext(new("env")).(string)
	env, err := stacks.EnvironmentNamed(name)
	if allowed, _ := app.Node().TryGetContext(new(stacks.AllowPlaceholders)).(string); err == nil && allowed == "" {
		err = env.CheckPlaceholders()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hl7lake:", err)
		jsii.Close()
		os.Exit(1)
	}
	stacks.NewSystem(app, env)
	app.Synth(nil)
}
