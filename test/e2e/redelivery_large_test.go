package e2e_test

import (
	"bytes"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/local/fault"
)

// The second delivery finds the object in the lake: S3 refuses the put before it reads
// the streamed content.
func TestALargeJSONThatIsDeliveredTwiceIsFiledOnce(t *testing.T) {
	t.Parallel()
	l := startFaulty(t, func(p fault.Point) fault.Fault {
		if strings.Contains(p.Function, "Writer") && p.Call == fault.Event && bytes.Contains(p.Payload, []byte(`"staged"`)) {
			return fault.Fault{Kind: fault.Repeat}
		}
		return fault.Fault{}
	})
	c := l.client(t, l.admin(t))
	for _, n := range []int{40_000, 100_000, 400_000} { // 2, 5 and 20 MB of JSON
		receipt, err := c.Send(t.Context(), client.Message{Body: segments(n)})
		if err != nil {
			t.Fatal(err)
		}
		ended(t, c, receipt.ID)
		eventually(t, "the second delivery is counted", func() bool {
			history, err := c.History(t.Context(), receipt.ID)
			last := history.Steps[len(history.Steps)-1]
			return err == nil && history.Status == client.Staged && last.Attempts == 2
		})
	}
	if letters := l.redrive(t, true); len(letters) != 0 {
		t.Errorf("dead letters: %+v", letters)
	}
}
