package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarms looks at the alarms that the lake's stacks made, and at no others in the
// account.
func alarms(ctx context.Context, a *account, stacks []string) (Finding, error) {
	var names []string
	for _, stack := range stacks {
		more, err := resources(ctx, a, stack, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
		if err != nil {
			return Finding{}, err
		}
		names = append(names, more...)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return Finding{Verdict: Fail, Text: "the stacks have none", Next: "Deploy all stacks, or name an outputs file that has all of them."}, nil
	}
	seen, err := describe(ctx, a, names)
	if err != nil {
		return Finding{}, err
	}
	return seen.finding(names), nil
}

// alarmed is what CloudWatch says about some alarms.
type alarmed struct {
	known      map[string]bool
	inAlarm    []string
	disabled   []string // they do nothing in any state
	unmeasured int      // they have no data yet
	advice     map[string]bool
}

// describe asks for the alarms, 100 at a time, which is the most that CloudWatch takes
// (CloudWatch API reference, "DescribeAlarms": AlarmNames, MaxRecords). CloudWatch shows
// composite alarms only to a caller who may describe all alarms.
func describe(ctx context.Context, a *account, names []string) (alarmed, error) {
	api := cloudwatch.NewFromConfig(a.configuration)
	seen := alarmed{known: map[string]bool{}, advice: map[string]bool{}}
	for some := range slices.Chunk(names, 100) {
		pages := cloudwatch.NewDescribeAlarmsPaginator(api, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: some, MaxRecords: new(int32(100)),
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return seen, err
			}
			for _, m := range page.MetricAlarms {
				seen.add(m.AlarmName, m.AlarmDescription, m.ActionsEnabled, m.StateValue)
			}
			for _, c := range page.CompositeAlarms {
				seen.add(c.AlarmName, c.AlarmDescription, c.ActionsEnabled, c.StateValue)
			}
		}
	}
	return seen, nil
}

func (s *alarmed) add(alarm, description *string, enabled *bool, state types.StateValue) {
	name := aws.ToString(alarm)
	s.known[name] = true
	if enabled != nil && !*enabled {
		s.disabled = append(s.disabled, name)
	}
	switch state {
	case types.StateValueAlarm:
		s.inAlarm = append(s.inAlarm, name)
		// The description of each of the stacks' alarms ends with its page of the
		// runbook.
		if _, page, ok := strings.Cut(aws.ToString(description), "What to do: "); ok {
			s.advice[page] = true
		}
	case types.StateValueInsufficientData:
		s.unmeasured++
	}
}

func (s *alarmed) finding(names []string) Finding {
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.known[name] })
	var wrong, next []string
	verdict := OK
	if len(s.disabled) > 0 {
		verdict = Warn
		wrong = append(wrong, "do nothing: "+strings.Join(s.disabled, ", "))
		next = append(next, "Switch them on: aws cloudwatch enable-alarm-actions --alarm-names "+strings.Join(s.disabled, " "))
	}
	if len(missing) > 0 {
		verdict = Fail
		wrong = append(wrong, "deleted by hand: "+strings.Join(missing, ", "))
		next = append(next, "A deployment does not see that: rename or remove the alarms in the stacks, deploy, and put them back.")
	}
	if len(s.inAlarm) > 0 {
		verdict = Fail
		wrong = append(wrong, "in alarm: "+strings.Join(s.inAlarm, ", "))
		if len(s.advice) == 0 {
			s.advice["docs/runbook"] = true
		}
		next = append(next, "See "+strings.Join(slices.Sorted(maps.Keys(s.advice)), ", ")+".")
	}
	if verdict != OK {
		return Finding{Verdict: verdict, Text: strings.Join(wrong, "; "), Next: strings.Join(next, " ")}
	}
	text := fmt.Sprintf("none of %d in alarm", len(names))
	if s.unmeasured > 0 {
		text += fmt.Sprintf(", %d without data so far", s.unmeasured)
	}
	return Finding{Verdict: OK, Text: text}
}
