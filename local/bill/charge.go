package bill

import (
	"math"
	"time"
)

// Charge names something with a price.
type Charge string

// The charges, as prices.json names them.
const (
	APIRequest     Charge = "api-request"
	LambdaRequest  Charge = "lambda-request"
	LambdaGBSecond Charge = "lambda-gb-second"
	Publish        Charge = "sns-publish"
	Delivery       Charge = "sns-delivery"
	QueueRequest   Charge = "sqs-request"
	Write          Charge = "dynamodb-write"
	Read           Charge = "dynamodb-read"
	Put            Charge = "s3-put"
	Get            Charge = "s3-get"
	StatesRequest  Charge = "states-request"
	StatesGBSecond Charge = "states-gb-second"
	LogByte        Charge = "logs-byte"
	Trace          Charge = "xray-trace"
	KMSRequest     Charge = "kms-request"
)

const kilobyte = 1024

// chunks returns how many units of a size, in bytes, a size takes; at least one.
func chunks(size, unit int) float64 { return math.Ceil(float64(max(size, 1)) / float64(unit)) }

// APICall counts a request to the HTTP API by the size of its body in bytes.
func (m *Meter) APICall(size int) { m.Add(APIRequest, "", chunks(size, 512*kilobyte)) }

// Published counts a message published to a topic by its size in bytes.
func (m *Meter) Published(size int) { m.Add(Publish, "", chunks(size, 64*kilobyte)) }

// Queued counts a request to a queue by the size in bytes of the message that it is
// about. The polls that find nothing are not counted here: Lambda makes them by time
// (https://aws.amazon.com/sqs/pricing/).
func (m *Meter) Queued(size int) { m.Add(QueueRequest, "", chunks(size, 64*kilobyte)) }

// Executed counts a run of an Express workflow. Its duration is rounded up to 100 ms. Its
// memory, 50 MB and what the payloads take, is billed in steps of 64 MB; one step is
// enough for what a state may hold (https://aws.amazon.com/step-functions/pricing/).
func (m *Meter) Executed(workflow string, d time.Duration) {
	const step, memoryMB = 100 * time.Millisecond, 64
	steps := max((d+step-1)/step, 1)
	m.Add(StatesRequest, workflow, 1)
	m.Add(StatesGBSecond, workflow, (steps*step).Seconds()*memoryMB/kilobyte)
}

// Invocation is one event that a function has handled.
type Invocation struct {
	Function string
	MemoryMB int
	Duration time.Duration // rounded up to a millisecond here
	// AsyncSize is the size in bytes of the payload of an asynchronous event; zero for
	// others. Above 256 KB, each 64 KB counts as one more request.
	AsyncSize int
	SystemLog bool // whether Lambda logs the request, by the function's system log level
	Traced    bool // begins a trace, and is not part of another
}

// Invoked counts an invocation, with what Lambda logs about it.
func (m *Meter) Invoked(i Invocation) {
	requests := 1.0
	if beyond := i.AsyncSize - 256*kilobyte; beyond > 0 {
		requests += chunks(beyond, 64*kilobyte)
	}
	m.Add(LambdaRequest, i.Function, requests)
	milliseconds := (i.Duration + time.Millisecond - 1) / time.Millisecond
	m.Add(LambdaGBSecond, i.Function, float64(milliseconds)/1000*float64(i.MemoryMB)/kilobyte)
	if i.SystemLog {
		m.Add(LogByte, "Lambda itself", float64(len(startLine)+len(reportLine)+2*logEventOverhead))
	}
	if i.Traced {
		m.Add(Trace, "", 1)
	}
}

// Logged counts what a function wrote to its log: its bytes, and its lines, each an
// event.
func (m *Meter) Logged(function string, size, lines int) {
	m.Add(LogByte, function, float64(size+lines*logEventOverhead))
}

// logEventOverhead is what CloudWatch Logs adds to the size of each event
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
const logEventOverhead = 26

// Lambda's own lines of a request in the JSON log format
// (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html).
const (
	startLine = `{"time":"2026-11-22T20:00:00.000Z","type":"platform.start","record":` +
		`{"requestId":"00000000-0000-0000-0000-000000000000","version":"$LATEST"}}`
	reportLine = `{"time":"2026-11-22T20:00:00.000Z","type":"platform.report","record":` +
		`{"requestId":"00000000-0000-0000-0000-000000000000","metrics":{"durationMs":12.345,"billedDurationMs":13,` +
		`"memorySizeMB":512,"maxMemoryUsedMB":32},"tracing":{"spanId":"0000000000000000","type":"X-Amzn-Trace-Id",` +
		`"value":"Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1;Lineage=1:00000000:0"},"status":"success"}}`
)
