package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"hl7lake/client"
)

// logGroups are the logs of deployed functions, in CloudWatch Logs.
type logGroups struct {
	logs     *cloudwatchlogs.Client
	prefixes []string // the beginning of the groups' names: the lake's stacks
	function string   // only this function's, unless ""
	id       string   // only lines with this text, unless ""
	from     time.Time

	names  map[string]string // the groups' names, by function; filled by find
	newest time.Time         // of the events that were shown
	shown  map[string]bool   // the ids of events of the last minutes, which are asked for again
}

// settle is how long it can take until an event is found (CloudWatch Logs API Reference,
// FilterLogEvents: events are found shortly after they arrive, in no strict order).
const settle = 30 * time.Second

// logGroups returns the log groups of the lake that the connection leads to.
func (p *program) logGroups(ctx context.Context, connection client.Connection) (*logGroups, error) {
	configuration, err := awsConfiguration(ctx, "read the functions' logs (logs:DescribeLogGroups, logs:FilterLogEvents)")
	if err != nil {
		return nil, err
	}
	if configuration.Region, err = connection.Region(); err != nil {
		return nil, err
	}
	groups := &logGroups{logs: cloudwatchlogs.NewFromConfig(configuration), shown: map[string]bool{}}
	for stack := range connection.Outputs {
		groups.prefixes = append(groups.prefixes, stack+"-")
		// A stack without outputs is not in the file. The names of one lake's stacks
		// begin alike.
		if common, ok := strings.CutSuffix(stack, "-core"); ok {
			groups.prefixes = []string{common + "-"}
			break
		}
	}
	return groups, nil
}

// groupName extracts a function's name from its group's:
// <stack>-<Name>Logs<hash>-<suffix>.
var groupName = regexp.MustCompile(`-([A-Za-z0-9]+)Logs[0-9A-F]{8}`)

// find looks up the groups by the names that CloudFormation gave them.
func (g *logGroups) find(ctx context.Context) error {
	g.names = map[string]string{}
	for _, prefix := range g.prefixes {
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(g.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, group := range page.LogGroups {
				name := aws.ToString(group.LogGroupName)
				if found := groupName.FindStringSubmatch(name); found != nil {
					g.names[strings.ToLower(found[1])] = name
				}
			}
		}
	}
	return nil
}

// functions returns the names of the functions that have a group.
func (g *logGroups) functions() []string {
	var names []string
	for name := range g.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// next returns what was logged since the last call, sorted by time. The pattern in
// quotation marks is a text that a line contains (CloudWatch Logs User Guide, "Filter
// pattern syntax").
func (g *logGroups) next(ctx context.Context, show func(logLine) error) error {
	type event struct {
		logLine
		id string
		at int64 // milliseconds
	}
	var events []event
	for function, group := range g.names {
		if g.function != "" && function != g.function {
			continue
		}
		input := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, StartTime: aws.Int64(g.from.UnixMilli())}
		if g.id != "" {
			input.FilterPattern = aws.String(`"` + strings.NewReplacer(`"`, "", `\`, "").Replace(g.id) + `"`)
		}
		for pages := cloudwatchlogs.NewFilterLogEventsPaginator(g.logs, input); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, e := range page.Events {
				at := time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC().Format("2006-01-02T15:04:05.000Z")
				events = append(events, event{logLine{function, at, strings.TrimRight(aws.ToString(e.Message), "\n")}, aws.ToString(e.EventId), aws.ToInt64(e.Timestamp)})
			}
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	now := map[string]bool{}
	for _, e := range events {
		now[e.id] = true
		if g.shown[e.id] {
			continue
		}
		g.newest = time.UnixMilli(e.at)
		if err := show(e.logLine); err != nil {
			return err
		}
	}
	g.shown = now
	if !g.newest.IsZero() {
		g.from = g.newest.Add(-settle)
	}
	return nil
}

// follow shows what is logged until ctx ends.
func (g *logGroups) follow(ctx context.Context, show func(logLine) error) error {
	const interval = 2 * time.Second
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := g.next(ctx, show); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// logsOfAWS shows the logs of deployed functions.
func (p *program) logsOfAWS(ctx context.Context, connection client.Connection, o logsOptions, show func(logLine) error) (functions []string, err error) {
	groups, err := p.logGroups(ctx, connection)
	if err != nil {
		return nil, err
	}
	groups.function, groups.id, groups.from = o.function, o.id, time.Now().Add(-o.since)
	err = groups.find(ctx)
	if err == nil {
		err = groups.next(ctx, show)
	}
	if err == nil && o.follow {
		err = groups.follow(ctx, show)
	}
	if err != nil && ctx.Err() == nil {
		return nil, errors.New(told(fmt.Errorf("read the logs: %w", err)))
	}
	return groups.functions(), err
}
