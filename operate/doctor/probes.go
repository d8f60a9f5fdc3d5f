package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"hl7lake/client"
)

// unreserved is the concurrency that Lambda keeps for functions without their
// own (Lambda developer guide, "Configuring reserved concurrency").
const unreserved = 100

// Before are the probes before a deployment of the templates in the folder.
func Before(c aws.Config, folder string) []Probe {
	return []Probe{
		{"credentials", func(ctx context.Context) (Finding, error) { return credentials(ctx, c) }},
		{"bootstrap", func(ctx context.Context) (Finding, error) { return bootstrap(ctx, c, folder) }},
		{"concurrency", func(ctx context.Context) (Finding, error) { return concurrency(ctx, c, folder) }},
		{"placeholders", func(context.Context) (Finding, error) { return placeholders(folder) }},
	}
}

func credentials(ctx context.Context, c aws.Config) (Finding, error) {
	if c.Region == "" {
		return Finding{Verdict: Fail, Text: "no region is set", Next: "Set AWS_REGION."}, nil
	}
	out, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Finding{}, err
	}
	return Finding{Verdict: OK, Text: "account " + aws.ToString(out.Account) + ", region " + c.Region}, nil
}

func bootstrap(ctx context.Context, c aws.Config, folder string) (Finding, error) {
	least, parameter, err := wantedBootstrap(folder)
	if err != nil {
		return Finding{}, err
	}
	command := "Run npx cdk bootstrap aws://ACCOUNT/" + c.Region + "."
	if who, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
		command = strings.Replace(command, "ACCOUNT", aws.ToString(who.Account), 1)
	}
	out, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
	if _, missing := errors.AsType[*ssmtypes.ParameterNotFound](err); missing {
		return Finding{Verdict: Fail, Text: "the account is not bootstrapped in this region", Next: command}, nil
	}
	if err != nil {
		return Finding{}, err
	}
	version, err := strconv.Atoi(aws.ToString(out.Parameter.Value))
	if err != nil || version < least {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("bootstrap version %s, want %d", aws.ToString(out.Parameter.Value), least), Next: command}, nil
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("version %d, %d is enough", version, least)}, nil
}

// wantedBootstrap is what the assembly's manifest asks of the bootstrap stack.
func wantedBootstrap(folder string) (least int, parameter string, err error) {
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return 0, "", err
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct {
				Least     int    `json:"requiresBootstrapStackVersion"`
				Parameter string `json:"bootstrapStackVersionSsmParameter"`
			}
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return 0, "", fmt.Errorf("read the assembly's manifest: %w", err)
	}
	parameter = "/cdk-bootstrap/hnb659fds/version" // CDK guide, "Customize CDK bootstrapping"
	for _, artifact := range manifest.Artifacts {
		if artifact.Properties.Least > least {
			least = artifact.Properties.Least
		}
		if artifact.Properties.Parameter != "" {
			parameter = artifact.Properties.Parameter
		}
	}
	return least, parameter, nil
}

func concurrency(ctx context.Context, c aws.Config, folder string) (Finding, error) {
	reserved, err := reservations(folder)
	if err != nil {
		return Finding{}, err
	}
	out, err := lambda.NewFromConfig(c).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Finding{}, err
	}
	quota := int(out.AccountLimit.ConcurrentExecutions)
	free := int(aws.ToInt32(out.AccountLimit.UnreservedConcurrentExecutions))
	text := fmt.Sprintf("quota %d, %d of it unreserved; the environment reserves %d", quota, free, reserved)
	switch {
	case reserved > 0 && free-reserved < unreserved:
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s, and %d must stay unreserved", text, unreserved),
			Next: "Ask for a higher quota: Service Quotas, AWS Lambda, Concurrent executions. Or destroy what reserves the rest."}, nil
	case quota < unreserved:
		return Finding{Verdict: Warn, Text: text + ": the functions share it, and wait for each other under load",
			Next: "Ask for a higher quota: Service Quotas, AWS Lambda, Concurrent executions."}, nil
	}
	return Finding{Verdict: OK, Text: text}, nil
}

// templates are the texts of the templates in the folder, by name.
func templates(folder string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no template in %s: run npx cdk synth first", folder)
	}
	texts := map[string][]byte{}
	for _, file := range files {
		if texts[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func reservations(folder string) (sum int, err error) {
	texts, err := templates(folder)
	if err != nil {
		return 0, err
	}
	for name, text := range texts {
		var template struct {
			Resources map[string]struct {
				Properties struct{ ReservedConcurrentExecutions json.RawMessage }
			}
		}
		if err := json.Unmarshal(text, &template); err != nil {
			return 0, fmt.Errorf("read %s: %w", name, err)
		}
		for id, resource := range template.Resources {
			if resource.Properties.ReservedConcurrentExecutions == nil {
				continue
			}
			var n int
			if err := json.Unmarshal(resource.Properties.ReservedConcurrentExecutions, &n); err != nil {
				return 0, fmt.Errorf("%s: %s reserves no plain number", name, id)
			}
			sum += n
		}
	}
	return sum, nil
}

func placeholders(folder string) (Finding, error) {
	texts, err := templates(folder)
	if err != nil {
		return Finding{}, err
	}
	for name, text := range texts {
		if strings.Contains(string(text), "example.org") {
			return Finding{Verdict: Warn, Text: name + " holds the placeholder example.org",
				Next: "Set the environment's own addresses in stacks/environment.go."}, nil
		}
	}
	return Finding{Verdict: OK, Text: "none"}, nil
}

// After are the probes of a deployed lake.
func After(c aws.Config, connection client.Connection) []Probe {
	return []Probe{
		{"stacks", func(ctx context.Context) (Finding, error) { return stacks(ctx, c, connection) }},
		{"outputs", func(context.Context) (Finding, error) { return outputs(connection) }},
		{"api", func(ctx context.Context) (Finding, error) { return api(ctx, connection) }},
		{"alarms", func(ctx context.Context) (Finding, error) { return alarms(ctx, c) }},
		{"subscriptions", func(ctx context.Context) (Finding, error) { return subscriptions(ctx, c, connection) }},
	}
}

func stacks(ctx context.Context, c aws.Config, connection client.Connection) (Finding, error) {
	for name := range connection.Outputs {
		out, err := cloudformation.NewFromConfig(c).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			return Finding{}, err
		}
		for _, stack := range out.Stacks {
			if s := string(stack.StackStatus); s != "CREATE_COMPLETE" && s != "UPDATE_COMPLETE" {
				return Finding{Verdict: Fail, Text: name + " is " + s, Next: "Look at the stack's events."}, nil
			}
		}
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("%d complete", len(connection.Outputs))}, nil
}

func outputs(connection client.Connection) (Finding, error) {
	names := []string{client.OutputAPI, client.OutputPool, client.OutputClient, client.OutputLake, client.OutputHub,
		client.OutputCatalog, client.OutputClaimCheck, client.OutputReconcile, "AlarmTopicArn", "SignInUrl", "IdentityPoolId"}
	for _, name := range names {
		if _, err := connection.Outputs.Get(name); err != nil {
			return Finding{}, err
		}
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("all %d there", len(names))}, nil
}

// skew is how far the clocks may be apart. AWS refuses a signature of more than
// five minutes ago (IAM user guide, "AWS Signature Version 4 for API requests").
const skew = time.Minute

// api wants a refusal of whoever brings no token, and the API's own time.
func api(ctx context.Context, connection client.Connection) (Finding, error) {
	address, err := connection.Outputs.Get(client.OutputAPI)
	if err != nil {
		return Finding{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/messages/none", nil)
	if err != nil {
		return Finding{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Finding{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("answers %d without a token, want 401", response.StatusCode)}, nil
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil && time.Since(date).Abs() > skew {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("its clock and this one are %v apart", time.Since(date).Round(time.Second)), Next: "Set this machine's clock."}, nil
	}
	return Finding{Verdict: OK, Text: "answers 401 without a token, and its clock agrees"}, nil
}

func alarms(ctx context.Context, c aws.Config) (Finding, error) {
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(c), &cloudwatch.DescribeAlarmsInput{StateValue: cloudwatchtypes.StateValueAlarm})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Finding{}, err
		}
		for _, alarm := range page.MetricAlarms {
			names = append(names, aws.ToString(alarm.AlarmName))
		}
	}
	if len(names) > 0 {
		return Finding{Verdict: Fail, Text: "in alarm, in this account and region: " + strings.Join(names, ", "), Next: "Look at the alarms' graphs."}, nil
	}
	return Finding{Verdict: OK, Text: "none in alarm"}, nil
}

func subscriptions(ctx context.Context, c aws.Config, connection client.Connection) (Finding, error) {
	topic, err := connection.Outputs.Get("AlarmTopicArn")
	if err != nil {
		return Finding{}, err
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(c), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	all, pending := 0, 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Finding{}, err
		}
		for _, s := range page.Subscriptions {
			all++
			if aws.ToString(s.SubscriptionArn) == "PendingConfirmation" {
				pending++
			}
		}
	}
	switch {
	case pending > 0:
		return Finding{Verdict: Warn, Text: fmt.Sprintf("%d of %d not confirmed", pending, all), Next: "Open the mail of AWS Notifications and confirm it."}, nil
	case all == 0:
		return Finding{Verdict: Warn, Text: "nobody is told of alarms", Next: "Set the environment's alarm addresses."}, nil
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("%d confirmed", all)}, nil
}
