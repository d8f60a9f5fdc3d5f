package contract

// MetricNamespace is where CloudWatch shows what the functions measure.
const MetricNamespace = "hl7lake"

// The metrics that functions write and alarms watch.
const (
	MetricAccepted          = "Accepted"
	MetricDuplicate         = "Duplicate"
	MetricRefused           = "Refused"
	MetricDeferred          = "Deferred"
	MetricStaged            = "Staged"
	MetricFailed            = "Failed"
	MetricStagingLatency    = "StagingLatency"    // in milliseconds
	MetricOldestUnstagedAge = "OldestUnstagedAge" // in seconds
	MetricMissing           = "Missing"
	MetricNotIndexed        = "NotIndexed"
	MetricTablesLag         = "TablesLag" // in seconds
)
