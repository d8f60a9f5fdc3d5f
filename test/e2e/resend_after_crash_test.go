package e2e_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/local/fault"
)

// TestAfterACrashAResendIsAnsweredBeforeTheLeaseEnds kills ingest while it publishes,
// before and after the hub has the message. The lease would last another 22 seconds.
func TestAfterACrashAResendIsAnsweredBeforeTheLeaseEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.KillBefore, fault.KillAfter} {
		var died atomic.Bool
		l := startFaulty(t, func(p fault.Point) fault.Fault {
			if strings.Contains(p.Function, "Ingest") && p.Call == "sns:Publish" && died.CompareAndSwap(false, true) {
				return fault.Fault{Kind: kind}
			}
			return fault.Fault{}
		})
		tokens := l.admin(t)
		post := er7(token(t, tokens), admission(1))
		if crashed := l.mustDo(t, post); crashed.status < http.StatusInternalServerError || !died.Load() {
			t.Fatalf("%s: answered %d %s", kind, crashed.status, crashed.body)
		}
		begin := time.Now()
		again := l.mustDo(t, post)
		if again.status != http.StatusCreated || time.Since(begin) > 10*time.Second {
			t.Fatalf("%s: after %s the resend is answered %d %s", kind, time.Since(begin), again.status, again.body)
		}
		history := ended(t, l.client(t, tokens), again.answer(t).ID)
		if history.Status != client.Staged || len(history.Steps) != 2 || len(l.keys(t, client.Ingestion)) != 1 {
			t.Errorf("%s: it is not one message: %+v", kind, history)
		}
	}
}
