package load_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/internal/contract"
	"hl7lake/internal/testing/altered"
)

// The flood's figures are a twentieth of dev's: this machine must be able to refuse the
// flood's requests and have time left, as AWS has. Staging is given one execution at a
// time, which the flood would fill twice over.
const (
	ownerPerSecond = 10
	ownerBurst     = 20
	staging        = 1   // executions at once
	flooders       = 20  // clients of one institution
	floodPerSecond = 120 // what they post together, a dozen times their share
	quietPerSecond = 8   // what another institution posts
)

// TestAFloodByOneInstitutionLeavesAnotherItsLatency measures how long one institution's
// messages take until they are accepted and until they are JSON, first alone and then
// while another posts twelve times what it may. It then removes the limit and checks that
// the flood would be felt, because otherwise the test would show nothing. With -load the
// phases are longer.
func TestAFloodByOneInstitutionLeavesAnotherItsLatency(t *testing.T) {
	leavesLatency(t, share{ownerPerSecond, ownerBurst}, floodOf)
}

// leavesLatency fails the test unless the latency beside what one institution does is the
// usual one if that institution has a share, and is not if it has none. measure returns
// both.
func leavesLatency(t *testing.T, limit share, measure func(*testing.T, share) (usual, beside latency)) {
	t.Helper()
	const times, tries = 2, 3
	for try := 1; ; try++ {
		usual, beside := measure(t, limit)
		t.Logf("with a share: usual %v, beside the other institution %v", usual, beside)
		if beside.within(usual, times) {
			break
		}
		if try == tries {
			t.Errorf("beside an institution with a share it takes %v, usually %v", beside, usual)
			break
		}
		t.Log("once more: other programs may have taken the processors")
	}
	usual, beside := measure(t, unlimited())
	t.Logf("without a share: usual %v, beside the other institution %v", usual, beside)
	if beside.within(usual, times) {
		t.Error("without a share the other institution is not felt either, so that this test shows nothing")
	}
}

// latency is how long messages take until they are accepted, and from there until they
// are JSON: medians, and for the second also the time that nine of ten do not exceed.
type latency struct{ accepted, staged, most time.Duration }

func (l latency) String() string {
	return fmt.Sprintf("%.0f + %.0f ms (9 of 10: %.0f ms)", milliseconds(l.accepted), milliseconds(l.staged), milliseconds(l.most))
}

// within reports whether l is at most that many times the usual.
func (l latency) within(usual latency, times time.Duration) bool {
	return l.accepted <= times*usual.accepted && l.staged <= times*usual.staged
}

// floodOf measures a lake in which an institution may post that much.
func floodOf(t *testing.T, limit share) (usual, flooded latency) {
	t.Helper()
	l := startIn(t, t.TempDir(), serveAssembly+"="+assembly(t, limit, unlimited(), staging))
	sender := &sender{lake: l}
	warmUp(t, sender, institutions)
	usual = sender.trickle(t, func() {})
	ctx, stop := context.WithCancel(t.Context())
	var taken, refused atomic.Int64
	begin := time.Now()
	var flooding sync.WaitGroup
	for range flooders {
		flooding.Go(func() { sender.flood(ctx, t, &taken, &refused) })
	}
	defer flooding.Wait()
	defer stop()
	time.Sleep(ownerBurst * time.Second / ownerPerSecond) // the burst passes
	var lasted time.Duration
	flooded = sender.trickle(t, func() {
		stop()
		lasted = time.Since(begin)
	})
	t.Logf("of the flood %d were taken and %d refused in %.1f s", taken.Load(), refused.Load(), lasted.Seconds())
	// As many requests may be under way as there are clients.
	if most := float64(limit.burst) + float64(limit.perSecond)*lasted.Seconds() + flooders; float64(taken.Load()) > most {
		t.Errorf("%d were taken, at most %.0f may be", taken.Load(), most)
	}
	return usual, flooded
}

// trickle lets the second institution post at its rate, calls posted, and waits for the
// JSON of all its messages.
func (s *sender) trickle(t *testing.T, posted func()) latency {
	t.Helper()
	n := max(*count/5, 40)
	begin := time.Now()
	var took []time.Duration
	pace := time.NewTicker(time.Second / quietPerSecond)
	defer pace.Stop()
	for range n {
		sent := time.Now()
		if _, err := s.lake.engines[1].Send(t.Context(), client.Message{Body: message(int(s.sent.Add(1)))}); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(sent))
		<-pace.C
	}
	posted()
	ages := s.lake.agesOf(t, institution(1), begin, n)
	return latency{percentile(took, 50), percentile(ages, 50), percentile(ages, 90)}
}

// agesOf waits until n messages of the owner are JSON, and returns how long each took.
func (l *lake) agesOf(t *testing.T, owner string, from time.Time, n int) (all []time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(all) < n; time.Sleep(time.Second) {
		entries, err := l.staged(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d messages became JSON", len(all), n)
		}
		all = nil
		for _, e := range entries {
			if e.owner == owner {
				all = append(all, e.written.Sub(e.received))
			}
		}
	}
	return all
}

// flood posts as the first institution, again and again and whatever the answers, until
// ctx ends.
func (s *sender) flood(ctx context.Context, t *testing.T, taken, refused *atomic.Int64) {
	pace := time.NewTicker(time.Second * flooders / floodPerSecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		answer, err := s.post(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			t.Error(err)
			return
		case answer.StatusCode == http.StatusCreated:
			taken.Add(1)
		case answer.StatusCode == http.StatusTooManyRequests:
			refused.Add(1)
			if after, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || after < 1 {
				t.Errorf("Retry-After: %q", answer.Header.Get("Retry-After"))
			}
		default:
			t.Errorf("the flood is answered %d", answer.StatusCode)
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
}

// post posts one message as the first institution, once.
func (s *sender) post(ctx context.Context) (*http.Response, error) {
	address, err := s.lake.Outputs.Get(client.OutputAPI)
	if err != nil {
		return nil, err
	}
	token, err := s.lake.tokens[0](ctx)
	if err != nil {
		return nil, err
	}
	body := message(int(s.sent.Add(1)))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/er7", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/hl7-v2")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return answer, answer.Body.Close()
}

// share is what one institution may take.
type share struct{ perSecond, burst int }

// unlimited is a share that no test takes.
func unlimited() share { return share{100_000, 100_000} }

func (s share) set() func(map[string]any) {
	return altered.Variables(map[string]string{
		contract.EnvOwnerPerSecond: strconv.Itoa(s.perSecond), contract.EnvOwnerBurst: strconv.Itoa(s.burst),
	})
}

// assembly is a folder with dev's templates, in which an institution may post and have
// staged so much and staging has fewer executions at once.
func assembly(t *testing.T, posted, staged share, executions int) string {
	t.Helper()
	trigger := altered.Function("lambdas/trigger")
	return altered.Templates(t, "../snapshots/dev",
		altered.Change{Stack: "FrontDoor", Of: altered.Function("lambdas/ingest"), How: posted.set()},
		altered.Change{Stack: "StagingER7", Of: trigger, How: staged.set()},
		altered.Change{Stack: "StagingER7", Of: trigger, How: func(properties map[string]any) {
			properties["ReservedConcurrentExecutions"] = executions
		}},
	)
}
