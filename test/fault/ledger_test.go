package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hl7lake/client"
)

// message is one message in the ledger: what was sent, and each answer to its sender.
type message struct {
	name    string // of the cell or of the walk's step that sent it
	sender  sender
	body    []byte
	ways    [][]byte // the same message with other line ends, a different one for each attempt; nil for body alone
	hl7     bool     // it should become JSON
	mayDie  bool     // it may end in a dead-letter queue
	answers []answer
}

// way returns what an attempt sends.
func (m *message) way(attempt int) []byte {
	if len(m.ways) == 0 {
		return m.body
	}
	return m.ways[attempt%len(m.ways)]
}

// id returns the id that the sender was told; "" if the message was never accepted.
// problem says where the answers contradict each other.
func (m *message) id() (id, problem string) {
	for _, told := range m.answers {
		switch {
		case told.Status != http.StatusCreated && told.Status != http.StatusConflict:
			continue
		case told.ID == "":
			return id, fmt.Sprintf("the answer %d has no id", told.Status)
		case id != "" && told.ID != id:
			return id, fmt.Sprintf("the sender was told two ids, %s and %s", id, told.ID)
		}
		id = told.ID
	}
	return id, ""
}

// refused says that the lake does not want the message, so that its sender does
// not send it again. One that came too soon (429) it wants later.
func (m *message) refused() bool {
	last := m.answers[len(m.answers)-1].Status
	return last >= 400 && last < 500 && last != http.StatusConflict && last != http.StatusTooManyRequests
}

// settled reports whether the sender need not send the message again.
func (m *message) settled() bool {
	if len(m.answers) == 0 {
		return false
	}
	last := m.answers[len(m.answers)-1].Status
	return last == http.StatusCreated || last == http.StatusConflict || m.refused()
}

// resendAfter is how long a sender waits that was given no time.
const resendAfter = 250 * time.Millisecond

// send posts the message until the answer is for good, as a sender does: what
// was not answered, or with a 5xx or 429, is sent again.
func (l *lake) send(ctx context.Context, m *message) error {
	for {
		told := l.post(ctx, m.sender, m.way(len(m.answers)))
		m.answers = append(m.answers, told)
		if m.settled() {
			return nil
		}
		if !told.wait(ctx) {
			return fmt.Errorf("never accepted; told %v", m.told())
		}
	}
}

// wait waits as long as the sender was told to before it sends again. It reports whether
// there is time for that.
func (a answer) wait(ctx context.Context) bool {
	wait := resendAfter
	if seconds, err := strconv.Atoi(a.RetryAfter); err == nil {
		wait = time.Duration(seconds) * time.Second
	}
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// postInTurn posts a body until the answer is about the body, and not that the sender has
// posted too much (429).
func (l *lake) postInTurn(ctx context.Context, s sender, body []byte) answer {
	for {
		told := l.post(ctx, s, body)
		if told.Status != http.StatusTooManyRequests || !told.wait(ctx) {
			return told
		}
	}
}

// told writes the answers in short form.
func (m *message) told() (short []string) {
	for _, a := range m.answers {
		if a.Status == 0 {
			short = append(short, a.Err)
			continue
		}
		short = append(short, strconv.Itoa(a.Status))
	}
	return short
}

// follow waits until the message has ended.
func (m *message) follow(ctx context.Context) (client.History, error) {
	id, problem := m.id()
	if problem != "" {
		return client.History{}, fmt.Errorf("%s", problem)
	}
	history, err := m.sender.lake.Wait(ctx, id)
	if err != nil {
		return history, fmt.Errorf("message %s is stuck as %q: %w", id, history.Status, err)
	}
	return history, nil
}
