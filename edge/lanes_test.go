package edge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hl7lake/edge/queue"
	"hl7lake/internal/pause"
)

const pid = "PID|1||%s^^^HERE^MR~SECOND^^^HERE^SS||Sample^Sue\r"

func body(event, segments string) []byte {
	return []byte(`MSH|^~\&|A|HERE|||2026||ADT^` + event + "|1|T|2.5.1\r" + segments)
}

func TestWhoseMessageItIs(t *testing.T) {
	one, other := fmt.Sprintf(pid, "1"), fmt.Sprintf(pid, "2")
	for name, test := range map[string]struct {
		body    []byte
		patient string // "" if the message is alone
	}{
		"a patient":                    {body("A01", one), "1"},
		"another event":                {body("A08", one+"PV1|1\r"), "1"},
		"spaces around":                {body("A01", "PID|1|| 1 ^^^HERE\r"), "1"},
		"in LF":                        {[]byte(strings.ReplaceAll(string(body("A01", one)), "\r", "\n")), "1"},
		"a merge":                      {body("A40", one+"MRG|2\r"), ""},
		"a merge without MRG":          {body("A18", one), ""},
		"an MRG in another event":      {body("Z99", one+"MRG|2\r"), ""},
		"two patients":                 {body("R01", one+"OBX|1\r"+other), ""},
		"a swap of beds":               {body("A17", one+"PV1|1\r"+other+"PV1|2\r"), ""},
		"no patient":                   {body("A01", "PV1|1\r"), ""},
		"a patient without identifier": {body("A01", "PID|1||\r"), ""},
		"a null":                       {body("A01", "PID|1||\"\"\r"), ""},
		"no HL7":                       {[]byte("hello"), ""},
	} {
		l := &lanes{lanes: make([]chan queue.Message, 2)}
		patient, alone := l.patientOf(test.body)
		if alone != (test.patient == "") || !alone && patient != test.patient {
			t.Errorf("%s: %q, %v", name, patient, alone)
		}
	}
}

// A course is a queue of messages and what happens while they are delivered.
type course struct {
	lanes    int
	messages []string // of whom: a number, or "" for a message that is alone
	takes    []int    // how long each attempt takes, in milliseconds
	fails    []int    // how many attempts fail
	crashes  []int    // after how many milliseconds each run but the last ends
	lost     []int    // how many removals each crash undoes
}

func draw(r *rapid.T) course {
	n := rapid.IntRange(1, 40).Draw(r, "messages")
	whole := func(least, most int, name string) []int {
		return rapid.SliceOfN(rapid.IntRange(least, most), n, n).Draw(r, name)
	}
	crashes := rapid.IntRange(0, 3).Draw(r, "crashes")
	return course{
		lanes:    rapid.IntRange(1, 6).Draw(r, "lanes"),
		messages: rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "3", "4", "5", ""}), n, n).Draw(r, "of whom"),
		takes:    whole(0, 30, "takes"),
		fails:    whole(0, 2, "fails"),
		crashes:  rapid.SliceOfN(rapid.IntRange(0, 400), crashes, crashes).Draw(r, "crash after"),
		lost:     rapid.SliceOfN(rapid.IntRange(0, 5), crashes, crashes).Draw(r, "removals lost"),
	}
}

// A far lake is one that takes time to answer.
type farLake struct {
	course
	mu      sync.Mutex
	taken   []int // messages, in the order in which the lake took them first
	removed []int // from the queue, in their order
	most    int   // deliveries at once
	under   int
}

// deliver does what a sender does: it tries again until the lake has the message.
func (f *farLake) deliver(ctx context.Context, m queue.Message) error {
	f.mu.Lock()
	f.under++
	f.most = max(f.most, f.under)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.under--
	}()
	n := int(m.ID)
	for range f.fails[n] + 1 {
		if err := pause.For(ctx, time.Duration(f.takes[n])*time.Millisecond); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.taken, n) {
		f.taken = append(f.taken, n)
	}
	f.removed = append(f.removed, n)
	return nil
}

// run delivers what is in the queue, until it is empty or the time is over.
func (f *farLake) run(ctx context.Context) {
	gone := slices.Clone(f.removed) // by the runs before
	lanes, ctx := newLanes(ctx, f.lanes, f.deliver)
	defer lanes.close()
	for n, whose := range f.messages {
		if slices.Contains(gone, n) {
			continue
		}
		segments := ""
		if whose != "" {
			segments = fmt.Sprintf(pid, whose)
		}
		if lanes.pass(ctx, queue.Message{ID: uint64(n), Body: body("A08", segments)}) != nil {
			return
		}
	}
	lanes.under.Wait()
}

// wrong says which message came before one that it had to follow, if any did.
func (f *farLake) wrong() string {
	if len(f.taken) != len(f.messages) {
		return fmt.Sprintf("%d of %d messages were delivered", len(f.taken), len(f.messages))
	}
	for at, n := range f.taken {
		for _, later := range f.taken[at+1:] {
			if later < n && (f.messages[n] == f.messages[later] || f.messages[n] == "" || f.messages[later] == "" || f.lanes == 1) {
				return fmt.Sprintf("message %d, of %q, came before %d, of %q", n, f.messages[n], later, f.messages[later])
			}
		}
	}
	return ""
}

// TestThePatientsMessagesAreDeliveredInTheirOrderAndNothingOvertakesAMerge holds whatever
// fails, and however often the edge is killed.
func TestThePatientsMessagesAreDeliveredInTheirOrderAndNothingOvertakesAMerge(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &farLake{course: draw(r)}
		synctest.Test(t, func(t *testing.T) {
			for i, after := range f.crashes {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(after)*time.Millisecond)
				f.run(ctx)
				cancel()
				f.removed = f.removed[:max(len(f.removed)-f.lost[i], 0)]
			}
			f.run(t.Context())
		})
		if wrong := f.wrong(); wrong != "" {
			r.Fatal(wrong)
		}
	})
}

func TestMessagesOfDifferentPatientsAreUnderWayAtOnce(t *testing.T) {
	f := &farLake{course: course{lanes: 8, takes: make([]int, 100), fails: make([]int, 100)}}
	for n := range 100 {
		f.messages = append(f.messages, fmt.Sprint(n%50))
		f.takes[n] = 100
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f.run(t.Context())
		if took := time.Since(start); f.most < 5 || took > 4*time.Second {
			t.Errorf("%d at once, %s in all", f.most, took)
		}
	})
}
