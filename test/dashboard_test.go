package test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hl7lake/local"
)

// metric is a metric as CloudWatch's searches see it.
type metric struct {
	namespace, name string
	dimensions      map[string]string
}

// search is a SEARCH expression: the metrics of a schema that match all terms (CloudWatch
// User Guide, Search expression syntax).
type search struct {
	namespace  string
	dimensions []string
	terms      []term
}

// term matches a metric whose property, MetricName or a dimension, is one of the values.
// A quoted value must match completely; without quotes it must be one of the words.
type term struct {
	property string
	values   []string
	exact    bool
}

var (
	searchExpression = regexp.MustCompile(`SEARCH\('\{([^}]*)\}([^']*)'`)
	searchTerm       = regexp.MustCompile(`\s*(\w+)=(?:\(([^)]*)\)|"([^"]*)"|([\w]+))`)
	word             = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z0-9]+`)
)

// parseSearch reads the terms in the forms that the dashboard uses. It fails the test for
// any other form.
func parseSearch(t *testing.T, schema, terms string) search {
	t.Helper()
	parts := strings.Split(schema, ",")
	s := search{namespace: parts[0], dimensions: slices.Sorted(slices.Values(parts[1:]))}
	for rest := terms; strings.TrimSpace(rest) != ""; {
		at := searchTerm.FindStringSubmatchIndex(rest)
		if at == nil || at[0] != 0 {
			t.Fatalf("the terms %q cannot be read from %q on", terms, rest)
		}
		found := searchTerm.FindStringSubmatch(rest)
		one := term{property: found[1], values: []string{found[3]}, exact: true}
		if found[2] != "" {
			one.values = strings.Split(strings.ReplaceAll(found[2], `"`, ""), " OR ")
		}
		if found[4] != "" {
			one.values, one.exact = []string{found[4]}, false
		}
		s.terms = append(s.terms, one)
		rest = rest[at[1]:]
	}
	return s
}

func (s search) finds(m metric) bool {
	if m.namespace != s.namespace || !slices.Equal(slices.Sorted(maps.Keys(m.dimensions)), s.dimensions) {
		return false
	}
	for _, term := range s.terms {
		value := m.dimensions[term.property]
		if term.property == "MetricName" {
			value = m.name
		}
		if term.exact && !slices.Contains(term.values, value) ||
			!term.exact && !slices.Contains(word.FindAllString(value, -1), term.values[0]) {
			return false
		}
	}
	return true
}

// metricsOf returns what an environment writes: each function's and queue's metrics under
// the name that it will have, and our own by institution and by reason.
func metricsOf(t *testing.T, env string) (all []metric) {
	t.Helper()
	assembly, err := local.Load("test/snapshots/" + env)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		resourceType, namespace, dimension string
		names                              []string
	}{
		{"AWS::Lambda::Function", "AWS/Lambda", "FunctionName", []string{"Errors", "Duration", "ConcurrentExecutions", "Throttles"}},
		{"AWS::SQS::Queue", "AWS/SQS", "QueueName", []string{"ApproximateNumberOfMessagesVisible"}},
	} {
		for _, resource := range assembly.OfType(of.resourceType) {
			name := resource.PhysicalID[strings.LastIndexByte(resource.PhysicalID, '/')+1:] // a queue's is its URL
			for _, metricName := range of.names {
				all = append(all, metric{of.namespace, metricName, map[string]string{of.dimension: name}})
			}
		}
	}
	for _, name := range []string{"Accepted", "Duplicate", "Refused", "Staged", "Failed", "StagingLatency", "OldestUnstagedAge"} {
		for dimension, value := range map[string]string{"owner": "ANY-INSTITUTION", "reason": "no-header"} {
			all = append(all, metric{"hl7lake", name, map[string]string{"environment": env, dimension: value}})
		}
	}
	return all
}

// metricsOfOthers returns those of all other environments.
func metricsOfOthers(t *testing.T, env string) (all []metric) {
	for other := range assemblies {
		if other != env {
			all = append(all, metricsOf(t, other)...)
		}
	}
	return all
}

// TestEverySearchOfTheDashboardFindsItsOwnEnvironmentsMetrics evaluates each search on
// the metrics of all environments, which may be in one account. A search for a service's
// metric must find it for every function or queue.
func TestEverySearchOfTheDashboardFindsItsOwnEnvironmentsMetrics(t *testing.T) {
	for env, assembly := range assemblies {
		own, other := metricsOf(t, env), metricsOfOthers(t, env)
		searches := 0
		for _, resource := range assembly["Core"].template.Resources {
			if resource.Type != "AWS::CloudWatch::Dashboard" {
				continue
			}
			text, err := json.Marshal(resource.Properties["DashboardBody"])
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range searchExpression.FindAllStringSubmatch(strings.ReplaceAll(string(text), `\`, ""), -1) {
				searches++
				s := parseSearch(t, found[1], found[2])
				want := 1
				if strings.HasPrefix(s.namespace, "AWS/") {
					want = len(slices.DeleteFunc(slices.Clone(own), func(m metric) bool {
						return m.namespace != s.namespace || m.name != s.terms[0].values[0]
					}))
				}
				if got := count(own, s); got < want || want == 0 {
					t.Errorf("%s: %s finds %d metrics, want %d", env, found[0], got, want)
				}
				if got := count(other, s); got > 0 {
					t.Errorf("%s: %s finds %d metrics of the other environment", env, found[0], got)
				}
			}
		}
		if searches == 0 {
			t.Errorf("%s: the dashboard searches for nothing", env)
		}
	}
}

func count(metrics []metric, s search) (n int) {
	for _, m := range metrics {
		if s.finds(m) {
			n++
		}
	}
	return n
}
