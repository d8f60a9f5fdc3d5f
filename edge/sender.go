package edge

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"hl7lake/client"
	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
	"hl7lake/internal/pause"
)

const (
	// batchMessages and batchBytes limit what is read from the queue at once.
	batchMessages = 64
	batchBytes    = 4 << 20
	// The pauses between attempts, which double. The client has made several attempts of
	// its own before the first.
	firstPause   = time.Second
	longestPause = time.Minute
)

// A sender brings the messages of a listener to the lake, in its lanes.
type sender struct {
	lane       string // of the queue
	lanes      int    // of the sender
	charset    string
	queue      *queue.Queue
	quarantine quarantine.Folder
	target     *client.Client
	settled    func(queue.Message, *client.Problem) // called with each message that leaves the queue, and the lake's refusal, if any
	metrics    listenerMetrics
	log        *slog.Logger

	mu       sync.Mutex
	troubles map[uint64]error // why messages are not delivered, by their ids; 0 for the queue itself
}

// run delivers until ctx ends.
func (s *sender) run(ctx context.Context) {
	lanes, ctx := newLanes(ctx, s.lanes, s.deliver)
	defer lanes.close()
	after := uint64(0) // later ones were not passed to lanes yet
	for ctx.Err() == nil {
		batch, err := s.queue.Next(s.lane, after, batchMessages, batchBytes)
		s.hold(ctx, 0, err)
		if err != nil {
			_ = pause.For(ctx, longestPause)
			continue
		}
		for _, m := range batch {
			if err := lanes.pass(ctx, m); err != nil {
				return
			}
			after = m.ID
		}
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
			case <-s.queue.Added(s.lane):
			}
		}
	}
}

// deliver brings one message to the lake, or into the quarantine. Its only errors are
// those of ctx and of a closed queue.
func (s *sender) deliver(ctx context.Context, m queue.Message) error {
	wait := firstPause
	for {
		problem, err := s.attempt(ctx, m)
		if err == nil {
			s.hold(ctx, m.ID, nil)
			if err := s.queue.Remove(s.lane, m); err != nil {
				return err
			}
			s.settled(m, problem)
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.hold(ctx, m.ID, err)
		s.metrics.retries.Inc()
		if err := pause.For(ctx, wait/2+rand.N(wait/2+1)); err != nil {
			return err
		}
		wait = min(2*wait, longestPause)
	}
}

// attempt posts a message. Without an error the message has reached its place: the lake
// or, with the lake's refusal, the quarantine.
func (s *sender) attempt(ctx context.Context, m queue.Message) (*client.Problem, error) {
	receipt, err := s.target.Send(ctx, client.Message{Body: m.Body, Charset: s.charset})
	if err == nil {
		s.metrics.delivered(receipt.Duplicate, time.Since(m.Received))
		return nil, nil
	}
	problem, refused := errors.AsType[*client.Problem](err)
	if !refused || !forGood(problem) {
		return nil, err
	}
	entry := quarantine.Entry{
		Listener: s.lane, Received: m.Received, Refused: time.Now(), Status: problem.Status, Code: problem.Code, Detail: problem.Detail,
	}
	if err := s.quarantine.Add(entry, m.ID, m.Body); err != nil {
		return nil, err
	}
	s.metrics.quarantined.Inc()
	s.log.WarnContext(ctx, "the lake has refused a message, which is in quarantine now", "message", m.ID, "status", problem.Status, "code", problem.Code)
	return problem, nil
}

// forGood reports whether a refusal is about the message itself. Any other refusal, for
// example of a user without the privilege or at a wrong address, is a mistake to be
// corrected at one of both ends, after which the message is accepted.
func forGood(p *client.Problem) bool {
	switch p.Status {
	case http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return p.Code != "" // the lake's own, not a proxy's
	}
	return false
}

// hold records why a message is not delivered, or, without an error, that it is. It logs
// when the first trouble begins, changes or ends.
func (s *sender) hold(ctx context.Context, id uint64, err error) {
	s.mu.Lock()
	before := s.first()
	if err == nil {
		delete(s.troubles, id)
	} else {
		if s.troubles == nil {
			s.troubles = map[uint64]error{}
		}
		s.troubles[id] = err
	}
	after := s.first()
	s.mu.Unlock()
	switch {
	case after == nil && before != nil:
		s.log.InfoContext(ctx, "messages are delivered again")
	case after != nil && (before == nil || before.Error() != after.Error()):
		s.log.WarnContext(ctx, "messages are not delivered and stay in the queue", "error", after)
	}
}

// first returns the trouble of the message that was queued first; nil if there is none.
// It is called with s.mu held.
func (s *sender) first() (err error) {
	least := uint64(math.MaxUint64)
	for id, trouble := range s.troubles {
		if id <= least {
			least, err = id, trouble
		}
	}
	return err
}

// Trouble returns why messages are not delivered; nil if they are.
func (s *sender) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first()
}
