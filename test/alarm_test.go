package test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/contract"
)

// alarms returns every alarm of an assembly by its name.
func alarms(t *testing.T, assembly assembly) map[string]*resource {
	t.Helper()
	found := map[string]*resource{}
	for _, stack := range assembly {
		for _, resource := range stack.template.Resources {
			if resource.Type == "AWS::CloudWatch::Alarm" {
				found[resource.Properties["AlarmName"].(string)] = resource
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("no alarms found")
	}
	return found
}

func TestEveryAlarmTellsTheTopicAndNamesItsPage(t *testing.T) {
	for env, assembly := range assemblies {
		for name, alarm := range alarms(t, assembly) {
			if alarm.Properties["AlarmActions"] == nil || alarm.Properties["OKActions"] == nil {
				t.Errorf("%s: nobody is told", name)
			}
			_, page, named := strings.Cut(alarm.Properties["AlarmDescription"].(string), "What to do: ")
			if _, err := os.Stat(page); !named || err != nil {
				t.Errorf("%s: page %q: %v", name, page, err)
			}
			kind := strings.TrimSuffix(filepath.Base(page), ".md")
			if !strings.HasPrefix(name, "hl7lake-"+env+"-"+kind) {
				t.Errorf("%s does not begin with its page's name, %s", name, kind)
			}
		}
	}
}

func TestEveryPageOfTheRunbookIsOfAnAlarm(t *testing.T) {
	want := map[string]bool{"README": true}
	for _, assembly := range assemblies {
		for _, alarm := range alarms(t, assembly) {
			_, page, _ := strings.Cut(alarm.Properties["AlarmDescription"].(string), "What to do: ")
			want[strings.TrimSuffix(filepath.Base(page), ".md")] = true
		}
	}
	pages, err := filepath.Glob("docs/runbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, page := range pages {
		got[strings.TrimSuffix(filepath.Base(page), ".md")] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-alarms +pages):\n%s", diff)
	}
}

// TestAllEnvironmentsHaveTheSameAlarmsButForInstitutions leaves out Finder, which an
// environment need not have.
func TestAllEnvironmentsHaveTheSameAlarmsButForInstitutions(t *testing.T) {
	kinds := func(env string) []string {
		everywhere := maps.Clone(assemblies[env])
		delete(everywhere, "Finder")
		var names []string
		for name := range alarms(t, everywhere) {
			if rest := strings.TrimPrefix(name, "hl7lake-"+env+"-"); !strings.HasPrefix(rest, "no-traffic-") {
				names = append(names, rest)
			}
		}
		slices.Sort(names)
		return names
	}
	for env := range assemblies {
		if diff := cmp.Diff(kinds("dev"), kinds(env)); diff != "" {
			t.Errorf("(-dev +%s):\n%s", env, diff)
		}
	}
}

// TestEveryQueueAndFunctionIsWatched checks that later additions get their alarms too.
func TestEveryQueueAndFunctionIsWatched(t *testing.T) {
	for env, assembly := range assemblies {
		var names []string
		for name := range maps.Keys(alarms(t, assembly)) {
			names = append(names, name)
		}
		functions := 0
		for _, stack := range assembly {
			for id, resource := range stack.template.Resources {
				switch {
				case resource.Type == "AWS::SQS::Queue":
					if !watchesQueue(stack.template.Resources, id) {
						t.Errorf("%s: the queue %s is not watched", env, id)
					}
				case resource.Metadata[contract.PackageMetadata] != nil:
					functions++
					program := filepath.Base(resource.Metadata[contract.PackageMetadata].(string))
					if !slices.Contains(names, "hl7lake-"+env+"-throttles-"+program) {
						t.Errorf("%s: throttles of %s are not watched", env, program)
					}
				}
			}
		}
		if functions == 0 {
			t.Errorf("%s has no functions", env)
		}
	}
}

// watchesQueue reports whether one of the resources is an alarm on the queue of that
// logical id.
func watchesQueue(resources map[string]*resource, queue string) bool {
	want := []any{map[string]any{"Name": "QueueName", "Value": map[string]any{"Fn::GetAtt": []any{queue, "QueueName"}}}}
	for _, resource := range resources {
		if resource.Type == "AWS::CloudWatch::Alarm" && cmp.Equal(want, resource.Properties["Dimensions"]) {
			return true
		}
	}
	return false
}

// TestTheDashboardShowsAlarmsThatExist compares the names by which it knows the alarms of
// other stacks.
func TestTheDashboardShowsAlarmsThatExist(t *testing.T) {
	for env, assembly := range assemblies {
		known := alarms(t, assembly)
		body := string(assembly["Core"].snapshot)
		shown := 0
		for part := range strings.SplitSeq(body, ":alarm:") {
			name, _, _ := strings.Cut(part, `\"`)
			if !strings.HasPrefix(name, "hl7lake-") {
				continue
			}
			shown++
			if known[name] == nil {
				t.Errorf("%s: the dashboard shows %q, which is no alarm", env, name)
			}
		}
		if shown < 3 {
			t.Errorf("%s: the dashboard shows %d alarms", env, shown)
		}
	}
}
