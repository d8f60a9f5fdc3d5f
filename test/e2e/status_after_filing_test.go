package e2e_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"hl7lake/client"
	"hl7lake/local/fault"
)

// A message is not staged when its JSON is made, nor when it is published, nor when the
// object is in the lake, but when the writer has recorded that it is there.
func TestAMessageIsStagedOnlyWhenTheWriterHasFiledItsJSON(t *testing.T) {
	t.Parallel()
	deaths := make(chan fault.Kind)
	looked := make(chan struct{})
	kinds := []fault.Kind{fault.KillBefore, fault.KillAfter} // Lambda tries three times
	var strikes atomic.Int32
	l := startFaulty(t, func(p fault.Point) fault.Fault {
		ofJSON := strings.Contains(p.Function, "Writer") && p.Call == "s3:PutObject" && bytes.Contains(p.Payload, []byte(`"staged"`))
		if !ofJSON {
			return fault.Fault{}
		}
		strike := int(strikes.Add(1)) - 1
		if strike >= len(kinds) {
			return fault.Fault{}
		}
		kind := kinds[strike]
		deaths <- kind
		<-looked
		return fault.Fault{Kind: kind}
	})
	c := l.client(t, l.admin(t))
	for name, size := range map[string]int{"a large one": 4_000_000, "a small one": 2_000} {
		strikes.Store(0)
		receipt, err := c.Send(t.Context(), client.Message{Body: document(size)})
		if err != nil {
			t.Fatal(err)
		}
		for range kinds {
			kind := <-deaths
			history, err := c.History(t.Context(), receipt.ID)
			if err != nil || history.Status == client.Staged {
				t.Errorf("%s before %v: %s, %v", name, kind, history.Status, err)
			}
			if _, err := c.JSON(t.Context(), receipt.ID); !notYet(err) {
				t.Errorf("%s before %v has JSON: %v", name, kind, err)
			}
			looked <- struct{}{}
		}
		if history := ended(t, c, receipt.ID); history.Status != client.Staged {
			t.Errorf("%s ended as %s", name, history.Status)
		}
	}
}

// notYet reports whether err says that there is no JSON yet.
func notYet(err error) bool {
	problem, is := errors.AsType[*client.Problem](err)
	return is && problem.Status == http.StatusNotFound && problem.Code == "not-yet"
}
