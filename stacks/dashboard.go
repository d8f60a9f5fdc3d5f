package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"

	"hl7lake/internal/contract"
)

// anyInstitution stands in the dashboard's widgets for the institution that is selected
// at its top.
const anyInstitution = "ANY-INSTITUTION"

// addDashboard makes the page that shows whether the feed of a hospital is flowing. It
// finds its metrics by searching, so institutions, functions and queues appear on it by
// themselves, whichever stack they are in. docs/runbook/README.md has a drawing of its
// layout.
func (c Core) addDashboard() {
	board := board{c.Foundation.Environment}
	named := func(metric string) string { return fmt.Sprintf(`MetricName="%s"`, metric) }
	chosen := func(metric string) string { return fmt.Sprintf(`%s owner="%s"`, named(metric), anyInstitution) }
	ended := fmt.Sprintf(`MetricName=("%s" OR "%s" OR "%s")`, contract.MetricAccepted, contract.MetricStaged, contract.MetricFailed)
	dashboard := awscloudwatch.NewDashboard(c.Stack, new("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   new("hl7lake-" + board.Name + "-" + *c.Region()), // the account's dashboards share one list for all regions
		DefaultInterval: awscdk.Duration_Hours(new(3.0)),
		Variables:       &[]awscloudwatch.IVariable{board.institution()},
	})
	dashboard.AddWidgets(
		board.text(16, "# Is the feed flowing?\nLeft: what each institution sent. Right: alarms of the feeds; all others are under "+
			"[Alarms](#alarmsV2:?~(search~'hl7lake-"+board.Name+")). What to do: docs/runbook/README.md."),
		board.feedAlarms(c.Stack, 8),
	)
	dashboard.AddWidgets(
		board.graph(16, "Accepted, by institution", board.ours("Sum", 300, named(contract.MetricAccepted), "owner")),
		board.table(8, "In the last hour, by institution", board.ours("Sum", 3600, ended, "owner")),
	)
	dashboard.AddWidgets(
		board.graph(8, "Chosen: accepted, duplicate, refused",
			board.ours("Sum", 300, chosen(contract.MetricAccepted), "owner"), board.ours("Sum", 300, chosen(contract.MetricDuplicate), "owner"),
			board.ours("Sum", 300, chosen(contract.MetricRefused), "owner")),
		board.graph(8, "Chosen: staged, failed",
			board.ours("Sum", 300, chosen(contract.MetricStaged), "owner"), board.ours("Sum", 300, chosen(contract.MetricFailed), "owner")),
		board.graph(8, "Chosen: ms from accepted to staged; s of the oldest unstaged",
			board.ours("p50", 300, chosen(contract.MetricStagingLatency), "owner"), board.ours("p99", 300, chosen(contract.MetricStagingLatency), "owner"),
			board.ours("Maximum", 900, chosen(contract.MetricOldestUnstagedAge), "owner")),
	)
	dashboard.AddWidgets(
		board.graph(8, "Failed, by reason", board.ours("Sum", 300, named(contract.MetricFailed), "reason")),
		board.graph(8, "Dead and deferred, by queue", board.aws("Maximum", 60, "AWS/SQS", "QueueName", "ApproximateNumberOfMessagesVisible")),
		board.graph(8, "Errors, by function", board.aws("Sum", 300, "AWS/Lambda", "FunctionName", "Errors")),
	)
	dashboard.AddWidgets(
		board.graph(8, "Duration, p99, by function (ms)", board.aws("p99", 300, "AWS/Lambda", "FunctionName", "Duration")),
		board.graph(8, "Running at once, by function", board.aws("Maximum", 60, "AWS/Lambda", "FunctionName", "ConcurrentExecutions")),
		board.graph(8, "Throttled, by function", board.aws("Sum", 300, "AWS/Lambda", "FunctionName", "Throttles")),
	)
}

// board makes the widgets of an environment's dashboard.
type board struct{ Environment }

// institution is the selection at the top: all institutions that ever sent.
func (b board) institution() awscloudwatch.DashboardVariable {
	return awscloudwatch.NewDashboardVariable(&awscloudwatch.DashboardVariableOptions{
		Id:           new("institution"),
		Label:        new("Institution"),
		Type:         awscloudwatch.VariableType_PATTERN,
		Value:        new(anyInstitution),
		InputType:    awscloudwatch.VariableInputType_SELECT,
		Visible:      new(true),
		DefaultValue: awscloudwatch.DefaultValue_FIRST(),
		Values: awscloudwatch.Values_FromSearchComponents(&awscloudwatch.SearchComponents{
			Namespace:    new(contract.MetricNamespace),
			Dimensions:   texts("environment", "owner"),
			MetricName:   new(contract.MetricAccepted),
			PopulateFrom: new("owner"),
		}),
	})
}

// feedAlarms shows the state of the alarms about feeds. It refers to them by name,
// because other stacks own them.
func (b board) feedAlarms(stack awscdk.Stack, width float64) awscloudwatch.IWidget {
	names := []string{b.alarmName("unstaged-age", ""), b.alarmName("missing", ""), b.alarmName("staging-failures", "")}
	for _, institution := range b.Institutions {
		if institution.QuietAfterMinutes > 0 {
			names = append(names, b.alarmName("no-traffic", institution.Name))
		}
	}
	var alarms []interfacesawscloudwatch.IAlarmRef
	for _, name := range names {
		alarms = append(alarms, awscloudwatch.Alarm_FromAlarmArn(stack, new("Shown-"+name), new(arnOf(stack, "cloudwatch", "alarm:"+name))))
	}
	return awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: new("Alarms of the feeds"), Alarms: &alarms, Width: &width, Height: new(3.0),
	})
}

func (b board) text(width float64, markdown string) awscloudwatch.IWidget {
	return awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{Markdown: &markdown, Width: &width, Height: new(3.0)})
}

func (b board) graph(width float64, title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &metrics, Width: &width, Height: new(6.0),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: new(0.0), ShowUnits: new(false)},
	})
}

func (b board) table(width float64, title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewTableWidget(&awscloudwatch.TableWidgetProps{
		Title: &title, Metrics: &metrics, Width: &width, Height: new(6.0),
	})
}

// ours searches the functions' metrics by environment and one more dimension.
func (b board) ours(statistic string, seconds int, terms, dimension string) awscloudwatch.IMetric {
	return b.search(statistic, seconds, fmt.Sprintf(`{%s,environment,%s} environment="%s" %s`, contract.MetricNamespace, dimension, b.Name, terms))
}

// aws searches a service's metric for everything whose name, the value of the dimension,
// contains the words with which the names of the environment's stacks begin. The words
// are not in quotes, because a quoted term matches whole names only.
func (b board) aws(statistic string, seconds int, namespace, dimension, metric string) awscloudwatch.IMetric {
	return b.search(statistic, seconds,
		fmt.Sprintf(`{%s,%s} MetricName="%s" %[2]s=hl7lake %[2]s=%[4]s`, namespace, dimension, metric, b.Name))
}

// search finds metrics when the dashboard is looked at (CloudWatch User Guide, Search
// expression syntax).
func (b board) search(statistic string, seconds int, terms string) awscloudwatch.IMetric {
	return awscloudwatch.NewSearchExpression(&awscloudwatch.SearchExpressionProps{
		Expression: new(fmt.Sprintf("SEARCH('%s', '%s', %d)", terms, statistic, seconds)),
		Label:      new(" "), // CloudWatch then names each line by what distinguishes it
		Period:     awscdk.Duration_Seconds(new(float64(seconds))),
	})
}
