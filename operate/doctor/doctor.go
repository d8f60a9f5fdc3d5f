// Package doctor examines what a lake needs, and the lake itself: whether an environment
// can be deployed, and whether a deployed one is in order. It changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"

	"hl7lake/operate"
)

// Verdict is the result of a probe.
type Verdict string

// The verdicts.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn" // works, but will cause trouble for somebody
	Fail Verdict = "fail" // must be repaired
	Skip Verdict = "skip" // cannot be tested here; the text says why
)

// Finding is what one probe found.
type Finding struct {
	Probe   string  `json:"probe"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`           // what the probe saw
	Next    string  `json:"next,omitempty"` // what to do about it
}

// Probe is one thing to examine.
type Probe struct {
	Name string
	Look func(context.Context) (Finding, error)
}

// limit is how long one probe may take.
const limit = 15 * time.Second

// Examine runs all probes, one after the other, even if some fail, and calls report with
// each finding. It reports whether none failed, and stops when the context ends. local
// says that this is a lake on one machine, which does not run every service. On AWS, a
// service that does not answer is a failure.
func Examine(ctx context.Context, local bool, probes []Probe, report func(Finding)) bool {
	good := true
	for _, probe := range probes {
		if ctx.Err() != nil {
			return false
		}
		limited, cancel := context.WithTimeout(ctx, limit)
		finding, err := probe.Look(limited)
		cancel()
		if err != nil {
			finding = failure(local, err)
		}
		finding.Probe = probe.Name
		good = good && finding.Verdict != Fail
		report(finding)
	}
	return good
}

// failure returns the finding for a call that failed, without AWS's text, which can quote
// the request.
func failure(local bool, err error) Finding {
	call, isCall := errors.AsType[*smithy.OperationError](err)
	problem, answered := errors.AsType[smithy.APIError](err)
	switch {
	case !isCall:
		return Finding{Verdict: Fail, Text: err.Error()}
	case !answered:
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s %s: no answer", call.Service(), call.Operation()), Next: "Look at the network, the region and the credentials."}
	case local && operate.NotRunLocally(err):
		return Finding{Verdict: Skip, Text: "not run by the local lake"}
	}
	return Finding{
		Verdict: Fail,
		Text:    fmt.Sprintf("%s %s: %s", call.Service(), call.Operation(), problem.ErrorCode()),
		Next:    nextAfter(call, problem.ErrorCode(), resourceOf(err)),
	}
}
