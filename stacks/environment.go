package stacks

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// Environment holds every setting in which one deployment of the lake differs from another. What is not here is the
// same everywhere, so a change tested in one environment is the change that reaches the other.
type Environment struct {
	// Name is what `-c env=` selects; it is part of each stack's name.
	Name string

	// KeepData says that data outlives the stacks: buckets, tables, logs and the user pool are retained when a stack
	// is deleted, tables can be restored to any second, and deleting a stack or a table by mistake is refused.
	// Without it a destroy empties the buckets and leaves nothing behind.
	KeepData bool

	// PasswordSignIn lets a client exchange a password for tokens in one call (USER_PASSWORD_AUTH). Convenient for
	// curl and for tests, but the password itself travels; without it only SRP signs in, which never sends it.
	PasswordSignIn bool

	// LogRetention is how long the functions' and the workflow's logs are kept. They hold ids and outcomes only.
	LogRetention awslogs.RetentionDays
}

// Dev is for trying a change with synthetic patients: cheap, and gone without a trace after `cdk destroy`.
func Dev() Environment {
	return Environment{
		Name:           "dev",
		KeepData:       false,
		PasswordSignIn: true,
		LogRetention:   awslogs.RetentionDays_ONE_WEEK,
	}
}

// Prod is for a hospital's feed: nothing is deleted by accident, and logs cover a year of questions.
func Prod() Environment {
	return Environment{
		Name:           "prod",
		KeepData:       true,
		PasswordSignIn: false,
		LogRetention:   awslogs.RetentionDays_ONE_YEAR,
	}
}

// Environments returns every known environment, the least precious first.
func Environments() []Environment {
	return []Environment{Dev(), Prod()}
}

// EnvironmentNamed returns the environment of that name, or an error that lists the known names.
func EnvironmentNamed(name string) (Environment, error) {
	var known []string
	for _, env := range Environments() {
		if env.Name == name {
			return env, nil
		}
		known = append(known, env.Name)
	}
	return Environment{}, fmt.Errorf("unknown environment %q: choose one with -c env=NAME; the known ones are %s",
		name, strings.Join(known, ", "))
}

// removalPolicy is what happens to a stateful resource when it leaves the template.
func (e Environment) removalPolicy() awscdk.RemovalPolicy {
	if e.KeepData {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}

// stackProps names a stack and describes it. Its tags reach each resource at deployment, outside the template.
func (e Environment) stackProps(name, description string) *awscdk.StackProps {
	return &awscdk.StackProps{
		StackName:             new("hl7lake-" + e.Name + "-" + name),
		Description:           new(description),
		TerminationProtection: new(e.KeepData),
		Tags:                  &map[string]*string{"project": new("hl7lake"), "environment": new(e.Name)},
		// The CDK CLI checks the bootstrap version from the manifest; a parameter and a rule in each template that
		// check it again would only be noise in every diff.
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: new(false),
		}),
	}
}
