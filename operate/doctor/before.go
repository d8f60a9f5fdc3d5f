package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// unreserved is the concurrency that Lambda keeps for functions that reserve none (Lambda
// developer guide, "Configuring reserved concurrency").
const unreserved = 100

// Before returns the probes to run before the templates in the folder are deployed with
// the tools of the repository, which is the folder with package.json. It does not look at
// cdk.out, because `cdk deploy` writes that folder again.
func Before(c aws.Config, repository, folder string) []Probe {
	a := accountOf(c)
	return []Probe{
		{"credentials", func(ctx context.Context) (Finding, error) { return a.credentials(ctx, "") }},
		a.asked("bootstrap", func(ctx context.Context) (Finding, error) { return bootstrap(ctx, a, folder) }),
		a.asked("concurrency", func(ctx context.Context) (Finding, error) { return concurrency(ctx, a, folder) }),
		{"placeholders", func(context.Context) (Finding, error) { return placeholders(folder) }},
		{"node", func(ctx context.Context) (Finding, error) { return node(ctx, repository) }},
		{"cdk", func(context.Context) (Finding, error) { return cdk(repository) }},
	}
}

func bootstrap(ctx context.Context, a *account, folder string) (Finding, error) {
	wanted, err := readManifest(folder)
	if err != nil {
		return Finding{}, err
	}
	number := a.number
	if number == "" {
		number = "ACCOUNT"
	}
	command := fmt.Sprintf("Run npx cdk bootstrap aws://%s/%s.", number, a.configuration.Region)
	out, err := ssm.NewFromConfig(a.configuration).GetParameter(ctx, &ssm.GetParameterInput{Name: &wanted.parameter})
	if _, missing := errors.AsType[*ssmtypes.ParameterNotFound](err); missing {
		return Finding{Verdict: Fail, Text: "the account is not bootstrapped in this region", Next: command}, nil
	}
	if err != nil {
		return Finding{}, about(a.arn("ssm", "parameter"+wanted.parameter), err)
	}
	version, err := strconv.Atoi(aws.ToString(out.Parameter.Value))
	if err != nil || version < wanted.bootstrap {
		text := fmt.Sprintf("bootstrap version %s, want %d or later", aws.ToString(out.Parameter.Value), wanted.bootstrap)
		return Finding{Verdict: Fail, Text: text, Next: command}, nil
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("version %d; %d is enough", version, wanted.bootstrap)}, nil
}

func concurrency(ctx context.Context, a *account, folder string) (Finding, error) {
	reserved, err := reservations(folder)
	if err != nil {
		return Finding{}, err
	}
	functions := lambda.NewFromConfig(a.configuration)
	out, err := functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Finding{}, err
	}
	quota := int(out.AccountLimit.ConcurrentExecutions)
	free := int(aws.ToInt32(out.AccountLimit.UnreservedConcurrentExecutions))
	text := fmt.Sprintf("quota %d, %d of it unreserved; the environment reserves %d", quota, free, reserved)
	const ask = "Ask for a higher quota: Service Quotas, AWS Lambda, Concurrent executions."
	if reserved > 0 && free-reserved < unreserved {
		own, err := ownReservations(ctx, a, functions, folder)
		if err != nil {
			return Finding{}, err
		}
		if free+own-reserved < unreserved {
			return Finding{Verdict: Fail, Text: fmt.Sprintf("%s, and %d must stay unreserved", text, unreserved),
				Next: ask + " Or destroy what reserves the rest."}, nil
		}
		return Finding{Verdict: OK, Text: fmt.Sprintf("%s, and has %d of that already", text, own)}, nil
	}
	if quota < unreserved {
		return Finding{Verdict: Warn, Text: text + ": the functions share it, and wait for each other under load", Next: ask}, nil
	}
	return Finding{Verdict: OK, Text: text}, nil
}

// ownReservations is the concurrency that the environment's functions already reserve,
// from an earlier deployment. It is zero before the first one. A new deployment takes it
// over.
func ownReservations(ctx context.Context, a *account, functions *lambda.Client, folder string) (sum int, err error) {
	manifest, err := readManifest(folder)
	if err != nil {
		return 0, err
	}
	for _, stack := range manifest.stacks {
		names, err := resources(ctx, a, stack, "AWS::Lambda::Function")
		if isNoStack(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			out, err := functions.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
			if err != nil {
				return 0, about(a.arn("lambda", "function:"+name), err)
			}
			sum += int(aws.ToInt32(out.ReservedConcurrentExecutions))
		}
	}
	return sum, nil
}

func placeholders(folder string) (Finding, error) {
	found, err := examples(folder)
	if err != nil {
		return Finding{}, err
	}
	if len(found) > 0 {
		return Finding{Verdict: Fail, Text: "the templates hold examples: " + strings.Join(found, ", "),
			Next: "Set the environment's own addresses in stacks/environments.go, then run go test ./test -update."}, nil
	}
	return Finding{Verdict: OK, Text: "none"}, nil
}
