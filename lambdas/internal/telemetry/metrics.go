package telemetry

import (
	"log/slog"
	"time"

	"hl7lake/internal/contract"
)

// Metrics turns log lines into metrics: CloudWatch extracts metrics from a line that has
// the members of its embedded metric format (Amazon CloudWatch, Specification: Embedded
// metric format), so that a number and its subject stay together.
type Metrics struct {
	Environment string // the deployment, a dimension of every metric
}

// Metric is one number.
type Metric struct {
	Name  string
	Unit  string // CloudWatch's: Milliseconds, Seconds; empty for a count
	Value int64
}

// Count counts one event of the name.
func (m Metrics) Count(name string, dimensions ...slog.Attr) slog.Attr {
	return m.Measure([]Metric{{Name: name, Value: 1}}, dimensions...)
}

// Measure returns the members that make a log line hold metrics. Each metric is kept by
// environment, and by environment and each further dimension. The line has the
// dimensions' members through this and must not have them again. Values of dimensions are
// names that we gave, such as an institution's or a reason's code.
func (m Metrics) Measure(metrics []Metric, dimensions ...slog.Attr) slog.Attr {
	type definition struct {
		Name string
		Unit string `json:",omitempty"`
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	of := directive{Namespace: contract.MetricNamespace, Dimensions: [][]string{{"environment"}}}
	members := []any{slog.String("environment", m.Environment)}
	for _, dimension := range dimensions {
		of.Dimensions = append(of.Dimensions, []string{"environment", dimension.Key})
		members = append(members, dimension)
	}
	for _, metric := range metrics {
		of.Metrics = append(of.Metrics, definition{metric.Name, metric.Unit})
		members = append(members, slog.Int64(metric.Name, metric.Value))
	}
	members = append(members, slog.Any("_aws", struct {
		Timestamp         int64 // epoch milliseconds
		CloudWatchMetrics []directive
	}{time.Now().UnixMilli(), []directive{of}}))
	return slog.Group("", members...)
}
