package fault_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"hl7lake/local/fault"
)

// chance is a plan in which anything can go wrong anywhere, at the same visits of each
// place in every run with the same seed.
type chance struct {
	seed uint64

	mu     sync.Mutex
	visits map[string]uint64
}

func newChance(seed uint64) *chance { return &chance{seed: seed, visits: map[string]uint64{}} }

// likelihood is the chance of a fault at a point, in 1000.
const likelihood = 20

func (c *chance) plan(p fault.Point) fault.Fault {
	at := p.Function + " " + p.Call
	c.mu.Lock()
	c.visits[at]++
	visit := c.visits[at]
	c.mu.Unlock()
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(at)) // it never fails
	random := rand.New(rand.NewPCG(c.seed^hash.Sum64(), visit))
	if random.IntN(1000) >= likelihood {
		return fault.Fault{}
	}
	kinds := fault.Kinds()
	// Most waits end before a time-out, some long after.
	delay := time.Duration(random.ExpFloat64() * float64(time.Second))
	return fault.Fault{Kind: kinds[random.IntN(len(kinds))], Delay: min(delay, 10*time.Second)}
}

// The random walk's institutions, and how many connections each of them uses.
const (
	institutions = 4
	connections  = 16
)

// walker sends messages of every kind on one connection, one after another.
type walker struct {
	*rand.Rand
	sender sender
	number int // no other walker's
	sent   []*message
}

// next returns the next message: sometimes one that was sent before, one whose attempts
// differ in their line ends, or one that will be refused.
func (w *walker) next(n int) *message {
	n = n*institutions*connections + w.number
	shapes := scenarios()[:5]
	shape := shapes[0]
	switch chance := w.IntN(100); {
	case chance < 3:
		blank := append([]byte(" \r\n"), bytes.Repeat([]byte(" "), n)...)
		return &message{name: fmt.Sprintf("%s, blank message %d", w.sender.owner, n), sender: w.sender, body: blank}
	case chance < 8 && len(w.sent) > 0:
		return w.sent[w.IntN(len(w.sent))]
	case chance < 30:
		shape = shapes[w.IntN(len(shapes))]
	}
	m := &message{
		name:   fmt.Sprintf("%s, message %d, %s", w.sender.owner, n, shape.name),
		sender: w.sender, body: shape.body(n), hl7: shape.hl7, mayDie: true,
	}
	if m.hl7 && w.IntN(4) == 0 {
		m.name += ", by several ways"
		m.ways = [][]byte{
			m.body, bytes.ReplaceAll(m.body, []byte("\r"), []byte("\n")), fmt.Appendf(nil, "\x0b%s\x1c\r", m.body), bytes.TrimRight(m.body, "\r\n"),
		}
	}
	return m
}

// walk sends until stop, and completes what it began.
func (w *walker) walk(ctx context.Context, l *lake, stop <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		m := w.next(n)
		if len(m.answers) == 0 {
			w.sent = append(w.sent, m)
		}
		if err := l.send(ctx, m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
}

func TestARandomWalkThroughFaultsAndKillsKeepsEveryMessageOnce(t *testing.T) {
	t.Parallel()
	process := newLakeProcess(t)
	connection, err := process.start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	l := join(t, connection)
	var all []*walker
	for i := range institutions {
		s, err := l.sender(t.Context(), fmt.Sprintf("cell-%04d", i))
		if err == nil {
			_, err = s.token(t.Context()) // as long as the lake answers
		}
		if err != nil {
			t.Fatal(err)
		}
		for range connections {
			n := len(all)
			all = append(all, &walker{Rand: rand.New(rand.NewPCG(*seed, uint64(n))), sender: s, number: n})
		}
	}
	stop := make(chan struct{})
	var walking sync.WaitGroup
	for _, w := range all {
		walking.Go(func() {
			if err := w.walk(t.Context(), l, stop); err != nil {
				t.Error(err)
			}
		})
	}
	kills := killAtRandom(t, process)
	if connection, err = process.start(t.Context(), ""); err != nil { // the last one, without faults
		t.Fatal(err)
	}
	close(stop)
	walking.Wait()
	var ledger []*message
	for _, w := range all {
		ledger = append(ledger, w.sent...)
	}
	counts := settled(t, join(t, connection), ledger)
	answers := map[int]int{}
	for _, m := range ledger {
		for _, told := range m.answers {
			answers[told.Status]++
		}
	}
	t.Logf("seed %d, %v: %d kills; answers by status (0: none): %v; the ledger: %s", *seed, *walkFor, kills, answers, counts)
}

// killAtRandom kills the lake at random times and starts it again, each time with other
// faults, until the walk's time is over. It leaves the lake killed.
func killAtRandom(t *testing.T, process *lakeProcess) (kills int) {
	t.Helper()
	random := rand.New(rand.NewPCG(*seed, 9))
	for end := time.Now().Add(*walkFor); ; {
		// Often before the functions have started, sometimes after hundreds of messages.
		up := time.Duration(min(200+random.ExpFloat64()*4000, 20_000)) * time.Millisecond
		time.Sleep(min(up, time.Until(end)))
		process.kill()
		kills++
		if time.Now().After(end) {
			return kills
		}
		if _, err := process.start(t.Context(), strconv.FormatUint(random.Uint64(), 10)); err != nil {
			t.Fatal(err)
		}
	}
}

// settled waits until the lake and the ledger agree, and stay so.
func settled(t *testing.T, l *lake, ledger []*message) tally {
	t.Helper()
	good := 0
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Second) {
		problems, counts, err := l.audit(t.Context(), ledger)
		if err != nil {
			t.Fatal(err)
		}
		if good++; len(problems) > 0 {
			good = 0
		}
		if good == 2 {
			return counts
		}
		if time.Now().After(deadline) {
			for _, problem := range problems {
				t.Error(problem)
			}
			return counts
		}
	}
}
