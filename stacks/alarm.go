package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// runbook is the folder of the pages for people on call. Each alarm's description ends
// with its page.
const runbook = "docs/runbook/"

// alarmProps is what one alarm watches.
type alarmProps struct {
	// Runbook is the page that says what to do, without its folder and extension. The
	// alarm's name begins with it.
	Runbook string
	// Subject distinguishes the alarms that share a page. The alarm's name ends with it.
	// It is empty for the only one.
	Subject string
	// Means says in one sentence what has happened.
	Means string
	// Metric is what is measured, with its period and statistic.
	Metric awscloudwatch.IMetric
	// AtLeast is the value from which on something is wrong. If it is zero, Below must be
	// given.
	AtLeast float64
	// Below is the value below which something is wrong.
	Below float64
	// Periods is for how many consecutive periods this must be so; zero means one.
	Periods float64
	// SilenceIsBad treats a period without a measurement as a bad one.
	SilenceIsBad bool
}

// alarm makes an alarm that notifies the alarm topic when it begins and when it ends.
func (f Foundation) alarm(scope constructs.Construct, id string, props alarmProps) {
	name := f.alarmName(props.Runbook, props.Subject)
	comparison, threshold := awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD, props.AtLeast
	if props.AtLeast == 0 {
		comparison, threshold = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD, props.Below
	}
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if props.SilenceIsBad {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	alarm := awscloudwatch.NewAlarm(scope, new(id+"Alarm"), &awscloudwatch.AlarmProps{
		AlarmName:          &name,
		AlarmDescription:   new(props.Means + " What to do: " + runbook + props.Runbook + ".md"),
		Metric:             props.Metric,
		ComparisonOperator: comparison,
		Threshold:          &threshold,
		EvaluationPeriods:  new(max(props.Periods, 1)),
		TreatMissingData:   missing,
	})
	action := awscloudwatchactions.NewSnsAction(f.Alarms)
	alarm.AddAlarmAction(action)
	alarm.AddOkAction(action)
}

// alarmName returns the name of the alarm with that page and subject, which is empty for
// the only one.
func (e Environment) alarmName(page, subject string) string {
	name := "hl7lake-" + e.Name + "-" + page
	if subject != "" {
		name += "-" + strings.ToLower(subject)
	}
	return name
}

// newAlarmTopic makes the topic that notifies people of alarms, at the addresses that the
// environment lists.
func newAlarmTopic(stack awscdk.Stack, id string, env Environment, keys Keys) awssns.Topic {
	topic := awssns.NewTopic(stack, &id, &awssns.TopicProps{
		MasterKey:  keys.Logs,
		EnforceSSL: new(true),
	})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        new("AlarmsMayTell"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(new("cloudwatch.amazonaws.com"), nil)},
		Actions:    texts("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
	}))
	for _, address := range env.AlarmAddresses {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&address, nil))
	}
	return topic
}

// summed asks for a sum over five minutes.
func summed() *awscloudwatch.MetricOptions { return statistic("Sum", 5) }

// statistic asks for a statistic other than a sum, such as p99.
func statistic(name string, minutes float64) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(&minutes), Statistic: &name}
}

// sum combines metrics by a formula in their names, over five minutes.
func sum(formula string, metrics map[string]awscloudwatch.IMetric) awscloudwatch.MathExpression {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression:   &formula,
		UsingMetrics: &metrics,
		Period:       awscdk.Duration_Minutes(new(5.0)),
	})
}

// ownMetric returns a metric that the functions write, for the whole environment or with
// further dimensions, given as names and values in turn.
func (e Environment) ownMetric(name string, options *awscloudwatch.MetricOptions, dimensions ...string) awscloudwatch.IMetric {
	all := map[string]*string{"environment": new(e.Name)}
	for i := 0; i+1 < len(dimensions); i += 2 {
		all[dimensions[i]] = new(dimensions[i+1])
	}
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     new(contract.MetricNamespace),
		MetricName:    &name,
		DimensionsMap: &all,
		Period:        options.Period,
		Statistic:     options.Statistic,
	})
}
