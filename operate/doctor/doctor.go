// Package doctor looks at what a deployed lake stands on and at the lake itself:
// whether an environment can be deployed, and whether a deployed one is in order.
// It changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"

	"hl7lake/operate"
)

// Verdict is what a probe found.
type Verdict string

// The verdicts.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn" // works, and will hinder somebody
	Fail Verdict = "fail" // must be mended
	Skip Verdict = "skip" // cannot be asked here; the text says why
)

// Finding is one probe's result.
type Finding struct {
	Probe   string  `json:"probe"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`           // what was seen
	Next    string  `json:"next,omitempty"` // what to do about it
}

// Probe is one thing to look at.
type Probe struct {
	Name string
	Look func(context.Context) (Finding, error)
}

// limit is how long one probe may take.
const limit = 15 * time.Second

// Examine runs all probes one after the other, also when one fails, and calls
// report with each finding. It reports whether none failed, and stops when the
// context ends. local says that a
// lake on one machine is asked, which runs not every service; on AWS, a service
// that does not answer is a failure.
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

// failure is the finding of a call that failed, without AWS's text, which can
// quote the request.
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
