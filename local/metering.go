package local

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"sync/atomic"
	"time"

	"hl7lake/local/bill"
	"hl7lake/local/iam"
	"hl7lake/local/lambda"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// metering tells the meter what the services do. Requests of the account's root, the
// person who runs the lake, are not part of the lake's bill.
type metering struct {
	meter    bill.Meter
	requests atomic.Int64 // to the HTTP API
}

// Requests returns how many requests the HTTP API has had since the start. As long as it
// does not change, no message has come.
func (l *Lake) Requests() int64 { return l.metering.requests.Load() }

// Bill is what AWS would charge for what the lake has done since its start, as far as its
// services are run here. Package bill says what is exact and what is estimated.
func (l *Lake) Bill() (bill.Bill, error) {
	names := map[string]string{}
	for _, f := range l.lambda.Functions() {
		names[f.FunctionName] = path.Base(f.Package)
	}
	err := l.logs.written(func(functionName string, size, lines int) {
		l.metering.meter.Logged(names[functionName], size, lines)
	})
	return l.metering.meter.Bill(), err
}

func byRoot(ctx context.Context) bool { return wire.Caller(ctx) == iam.Root }

// meterAPI counts the requests to an HTTP API, and its access log, which is not written
// here.
func (l *Lake) meterAPI(r *http.Request) {
	l.metering.requests.Add(1)
	l.metering.meter.APICall(int(r.ContentLength))
	if l.accessLine > 0 {
		l.metering.meter.Logged("API access", l.accessLine, 1)
	}
}

// accessLineOf returns about how many bytes API Gateway logs for each request, by the
// format of the stage's access log; zero if there is none.
func accessLineOf(a *template.Assembly) int {
	const value = "a value of this size"
	for _, stage := range a.OfType("AWS::ApiGatewayV2::Stage") {
		var properties struct{ AccessLogSettings struct{ Format string } }
		text, err := stage.JSON()
		if err == nil {
			err = json.Unmarshal(text, &properties)
		}
		if format := properties.AccessLogSettings.Format; err == nil && format != "" {
			return len(regexp.MustCompile(`\$context\.[A-Za-z.]+`).ReplaceAllString(format, value))
		}
	}
	return 0
}

// s3 counts the requests to S3 by their price (https://aws.amazon.com/s3/pricing/,
// Requests and data retrievals): deletions are free, and lists cost as much as writes.
func (m *metering) s3(r *http.Request) {
	_, isList := r.URL.Query()["list-type"]
	switch {
	case byRoot(r.Context()), r.Method == http.MethodDelete:
	case r.Method == http.MethodPut, r.Method == http.MethodPost, isList:
		m.meter.Add(bill.Put, "", 1)
	default:
		m.meter.Add(bill.Get, "", 1)
	}
}

// states counts the synchronous executions of workflows.
func (m *metering) states(ctx context.Context, took time.Duration) {
	if !byRoot(ctx) {
		m.meter.Executed("", took)
	}
}

// dynamodb is a dynamodb.Consumed.
func (m *metering) dynamodb(ctx context.Context, _ string, read, write float64) {
	if byRoot(ctx) {
		return
	}
	m.meter.Add(bill.Read, "", read)
	m.meter.Add(bill.Write, "", write)
}

// sns is an sns.Published.
func (m *metering) sns(ctx context.Context, size, deliveries int) {
	if byRoot(ctx) {
		return
	}
	m.meter.Published(size)
	m.meter.Add(bill.Delivery, "", float64(deliveries))
}

// sqs is an sqs.Requested.
func (m *metering) sqs(ctx context.Context, size int) {
	if !byRoot(ctx) {
		m.meter.Queued(size)
	}
}

// kms is a kms.Requested.
func (m *metering) kms(ctx context.Context) {
	if !byRoot(ctx) {
		m.meter.Add(bill.KMSRequest, "", 1)
	}
}

// lambda counts an invocation. An invocation by API Gateway, which traces nothing itself,
// begins a trace if the function traces. SNS and Step Functions pass on the trace of
// their caller.
func (m *metering) lambda(ctx context.Context, h lambda.Handled) {
	m.meter.Invoked(bill.Invocation{
		Function: path.Base(h.Function.Package), MemoryMB: h.Function.MemorySize,
		Duration: h.Took, AsyncSize: h.AsyncSize,
		SystemLog: h.Function.LoggingConfig.SystemLogLevel != "WARN",
		Traced:    h.Function.TracingConfig.Mode == "Active" && wire.Caller(ctx) == "apigateway.amazonaws.com",
	})
}
