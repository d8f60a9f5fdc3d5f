package edge

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"hl7lake/edge/queue"
	"hl7lake/hl7"
)

const (
	// laneLength is the most messages that wait in a lane.
	laneLength = 64
	// lanesBytes limits what waits in all lanes together, so that memory does not grow
	// with the number of lanes. A message is never larger.
	lanesBytes = 32 << 20
)

// Lanes deliver messages side by side. The messages of a patient use the same lane, one
// after the other, so that they arrive in their order. A message about several patients,
// or about none, waits until all before it are delivered, and all after it wait for it.
//
// One goroutine alone may call pass and close.
type lanes struct {
	deliver func(context.Context, queue.Message) error
	lanes   []chan queue.Message
	seed    maphash.Seed
	room    *semaphore.Weighted
	under   sync.WaitGroup // messages in lanes
	running sync.WaitGroup
	message hl7.Message
	fail    context.CancelCauseFunc
}

// newLanes starts n lanes. deliver is called for each message until ctx ends, or until it
// has returned an error, after which no other message is delivered. With one lane,
// everything is in order.
func newLanes(ctx context.Context, n int, deliver func(context.Context, queue.Message) error) (*lanes, context.Context) {
	ctx, fail := context.WithCancelCause(ctx)
	l := &lanes{deliver: deliver, seed: maphash.MakeSeed(), room: semaphore.NewWeighted(lanesBytes), fail: fail}
	if n <= 1 {
		return l, ctx
	}
	for range n {
		lane := make(chan queue.Message, laneLength)
		l.lanes = append(l.lanes, lane)
		l.running.Go(func() { l.run(ctx, lane) })
	}
	return l, ctx
}

// run delivers the messages of a lane.
func (l *lanes) run(ctx context.Context, lane <-chan queue.Message) {
	for m := range lane {
		if ctx.Err() == nil {
			if err := l.deliver(ctx, m); err != nil {
				l.fail(err)
			}
		}
		l.room.Release(weight(m))
		l.under.Done()
	}
}

func weight(m queue.Message) int64 { return min(int64(len(m.Body)), lanesBytes) }

// pass delivers a message, or puts it into its lane. ctx is the one that newLanes
// returned. The error is that of ctx or of deliver.
func (l *lanes) pass(ctx context.Context, m queue.Message) error {
	patient, alone := l.patientOf(m.Body)
	if alone {
		l.under.Wait()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return l.deliver(ctx, m)
	}
	if err := l.room.Acquire(ctx, weight(m)); err != nil {
		return context.Cause(ctx)
	}
	l.under.Add(1)
	l.lanes[maphash.String(l.seed, patient)%uint64(len(l.lanes))] <- m // a lane still empties itself after ctx has ended
	return nil
}

// close ends the lanes, and waits until nothing is delivered any more.
func (l *lanes) close() {
	l.fail(context.Canceled)
	for _, lane := range l.lanes {
		close(lane)
	}
	l.running.Wait()
}

// patientOf returns the first identifier of the patient of a message: PID-3. A message is
// alone if it may concern other patients as well, or if nothing says whom it concerns.
func (l *lanes) patientOf(body []byte) (patient string, alone bool) {
	m := &l.message
	if len(l.lanes) == 0 || m.Parse(body) != nil || slices.Contains(severalPatients(), m.Get("MSH-9.2")) {
		return "", true
	}
	patients := 0
	for i := range m.Len() {
		switch m.Segment(i).Name() {
		case "MRG":
			return "", true
		case "PID":
			patients++
		}
	}
	patient = strings.TrimSpace(m.Get("PID-3.1"))
	return patient, patients != 1 || patient == "" || patient == hl7.Null
}

// severalPatients returns the events that swap, merge, link or move patients and their
// identifiers (HL7 v2.5.1, 3.3). Messages with an MRG segment or with several PID
// segments are recognized by these, whatever their event is.
func severalPatients() []string {
	return []string{
		"A17", "A18", "A24", "A30", "A34", "A35", "A36", "A37", "A39", "A40", "A41", "A42", "A43",
		"A44", "A45", "A46", "A47", "A48", "A49", "A50", "A51",
	}
}
