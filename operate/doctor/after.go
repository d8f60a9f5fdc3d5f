package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/client"
	"hl7lake/internal/contract"
)

// After returns the probes of a deployed lake.
func After(c aws.Config, connection client.Connection) []Probe {
	a := accountOf(c)
	network := endpoints{outputs: connection.Outputs, configuration: c}
	probes := []Probe{
		{"credentials", func(ctx context.Context) (Finding, error) { return a.credentials(ctx, accountIn(connection.Outputs)) }},
		{"outputs", func(context.Context) (Finding, error) { return outputs(connection.Outputs), nil }},
	}
	stacks := slices.Sorted(maps.Keys(connection.Outputs))
	for _, name := range stacks {
		probes = append(probes, a.asked("stack", func(ctx context.Context) (Finding, error) { return stack(ctx, a, name) }))
	}
	return append(probes,
		Probe{"api", network.api},
		Probe{"clock", network.clock},
		Probe{"issuer", network.issuer},
		Probe{"keys", network.keys},
		Probe{"sign-in", network.signIn},
		Probe{"console", network.console},
		a.asked("alarms", func(ctx context.Context) (Finding, error) { return alarms(ctx, a, stacks) }),
		a.asked("subscriptions", func(ctx context.Context) (Finding, error) { return subscriptions(ctx, c, connection.Outputs) }),
	)
}

// accountIn returns the lake's account, taken from the ARN of its hub, or "" if there is
// none.
func accountIn(outputs client.Outputs) string {
	hub, err := outputs.Get(client.OutputHub)
	parts := strings.Split(hub, ":")
	if err != nil || len(parts) < 5 {
		return ""
	}
	return parts[4]
}

// outputs checks that each output that a command of this program reads is there.
func outputs(o client.Outputs) Finding {
	names := []string{client.OutputAPI, client.OutputPool, client.OutputClient, client.OutputLake, client.OutputHub,
		client.OutputCatalog, client.OutputClaimCheck, client.OutputReconcile, client.OutputReceived, client.OutputReadsLog,
		client.OutputTrailLog, contract.OutputAlarms, contract.OutputSignIn, contract.OutputConsole, contract.OutputConsoleClient, contract.OutputIdentityPool}
	var wrong []string
	for _, name := range names {
		if _, err := o.Get(name); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return Finding{Verdict: Fail, Text: strings.Join(wrong, "; "),
			Next: "Deploy all stacks of one environment with --all and --outputs-file."}
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("all %d there", len(names))}
}

// subscriptions tells who is notified of alarms.
func subscriptions(ctx context.Context, c aws.Config, outputs client.Outputs) (Finding, error) {
	topic, err := outputs.Get(contract.OutputAlarms)
	if err != nil {
		return Finding{}, err
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(c), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	all := 0
	var pending []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Finding{}, about(topic, err)
		}
		for _, s := range page.Subscriptions {
			switch aws.ToString(s.SubscriptionArn) {
			case "Deleted": // listed for a while after a subscription was removed
			case "PendingConfirmation":
				all++
				pending = append(pending, aws.ToString(s.Endpoint))
			default:
				all++
			}
		}
	}
	subscribe := "aws sns subscribe --topic-arn " + topic + " --protocol email --notification-endpoint ADDRESS"
	switch {
	case len(pending) > 0:
		// Unconfirmed subscriptions are deleted after 48 hours (What's New with AWS,
		// "Amazon SNS automatic deletion of unconfirmed subscriptions").
		return Finding{Verdict: Warn, Text: fmt.Sprintf("%d of %d not confirmed: %s", len(pending), all, strings.Join(pending, ", ")),
			Next: "Confirm by the link in the mail of AWS Notifications within two days. Another mail: " + subscribe}, nil
	case all == 0:
		return Finding{Verdict: Warn, Text: "no person is told of alarms",
			Next: "Set AlarmAddresses in stacks/environments.go and deploy. If they are set, nobody confirmed in time: " + subscribe}, nil
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("%d confirmed", all)}, nil
}
