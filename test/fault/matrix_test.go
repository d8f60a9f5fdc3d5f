package fault_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"hl7lake/local"
	"hl7lake/local/fault"
)

// cell is one cell of the matrix: a fault at a place in a scenario.
type cell struct {
	scenario scenario
	at       place
	kind     fault.Kind
	tries    tries
}

func (c cell) String() string {
	return fmt.Sprintf("%s: %s, %s, %s", c.scenario.name, c.at, c.kind, c.tries)
}

// limits are the functions' time-outs as the templates have them, before timeScale.
func limits() map[string]time.Duration {
	return map[string]time.Duration{
		"ingest": 20 * time.Second, "messages": 20 * time.Second, "writer": 30 * time.Second,
		"prepare": 20 * time.Second, "parse": 20 * time.Second, "trigger": 90 * time.Second,
	}
}

// dead says that the message ends in a dead-letter queue, completely or in part.
func (c cell) dead() bool {
	return c.tries == always || c.at.call == fault.Notification && c.kind != fault.Repeat && c.tries != once
}

// delay is longer than the time-out of whoever waits at the cell's place.
func (c cell) delay() time.Duration {
	limit := limits()[c.at.program]
	switch c.at.call {
	case fault.Event:
		return 2 * time.Second // nobody waits; what comes after it is faster
	case fault.Invocation:
		limit = 30 * time.Second // the API's
	}
	return time.Duration(float64(limit)*timeScale) + 500*time.Millisecond
}

// strike is the cell's part of the script.
func (c cell) strike(struck func()) func(place, int, int) fault.Fault {
	f := fault.Fault{Kind: c.kind, Delay: c.delay()}
	return func(at place, visit, attempt int) fault.Fault {
		if at == c.at && c.tries.strikes(visit, attempt) {
			struck()
			return f
		}
		if c.scenario.base != nil {
			return c.scenario.base(at, visit, attempt)
		}
		return fault.Fault{}
	}
}

// cells are those of a place in a scenario.
func cells(s scenario, at place) (all []cell) {
	for _, kind := range fault.Kinds() {
		if at.call == fault.Notification && kind != fault.Fail && kind != fault.Lose && kind != fault.Repeat {
			continue // a topic has no process, and has its own time
		}
		for _, t := range triesOf(at, kind) {
			all = append(all, cell{s, at, kind, t})
		}
	}
	return all
}

// triesOf leaves out tries that are the same as another: an SDK retries what is refused
// or lost, not what is late or killed its process.
func triesOf(at place, kind fault.Kind) []tries {
	var all []tries
	refused := kind == fault.Fail || kind == fault.Throttle || kind == fault.Lose
	if refused && (!at.delivery() || at.call == fault.Notification) {
		all = append(all, once)
	}
	all = append(all, first)
	if kind != fault.Repeat {
		all = append(all, second)
	}
	asynchronous := at.program == "writer" || at.program == "trigger"
	dies := refused || kind == fault.KillBefore || kind == fault.KillAfter
	if asynchronous && dies && (at.call != fault.Event || !refused) {
		all = append(all, always)
	}
	return all
}

// matrix finds the places by playing each scenario without the matrix's faults, so that
// no call is forgotten. It plays them twice, because some places are reached by chance
// only, when something takes long, such as a claim that is looked at again. Those are not
// cells, because a fault there might not strike; the random walk reaches them.
func (r *runner) matrix(t *testing.T) (all []cell) {
	t.Helper()
	cold, warm := r.explore(t), r.explore(t)
	known := map[place]bool{}
	for i, s := range scenarios() {
		for _, at := range cold[i] {
			if at.program == "messages" && !s.reads() || known[at] {
				continue
			}
			if !slices.Contains(warm[i], at) {
				t.Logf("%s: %s is reached by chance", s.name, at)
				continue
			}
			known[at] = true
			all = append(all, cells(s, at)...)
		}
	}
	return all
}

// explore returns the places that each scenario reaches.
func (r *runner) explore(t *testing.T) [][]place {
	t.Helper()
	parts := make([]*part, len(scenarios()))
	var playing sync.WaitGroup
	for i, s := range scenarios() {
		playing.Go(func() {
			owner := r.owner()
			parts[i] = r.script.play(owner, func(at place, visit, attempt int) fault.Fault {
				if s.base == nil {
					return fault.Fault{}
				}
				return s.base(at, visit, attempt)
			})
			if err := r.play(t.Context(), s, owner, s.name+", without a fault", false); err != nil {
				t.Errorf("%s, without a fault: %v", s.name, err)
			}
		})
	}
	playing.Wait()
	r.settle(t) // a repeated delivery may come after the message has ended
	seen := make([][]place, len(parts))
	for i, part := range parts {
		seen[i] = part.seen
	}
	return seen
}

// runner plays parts on one lake and keeps the ledger.
type runner struct {
	lake    *lake
	running *local.Lake
	script  *script

	mu     sync.Mutex
	ledger []*message
	names  int
}

// owner returns a new institution.
func (r *runner) owner() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names++
	return fmt.Sprintf("cell-%04d", r.names)
}

// play sends the scenario's message and follows it until it has ended or is in a
// dead-letter queue.
func (r *runner) play(ctx context.Context, s scenario, owner, name string, dead bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sender, err := r.lake.sender(ctx, owner)
	if err != nil {
		return err
	}
	r.mu.Lock()
	m := &message{name: name, sender: sender, body: s.body(r.names), hl7: s.hl7, mayDie: dead}
	r.ledger = append(r.ledger, m)
	r.mu.Unlock()
	if err := s.run(ctx, r.lake, m); err != nil || dead {
		return err
	}
	if s.early {
		id, _ := m.id()
		if err := r.lake.readUntil(ctx, sender, "/messages/"+id, telling(id)); err != nil {
			return err
		}
	}
	if _, err := m.follow(ctx); err != nil {
		return err
	}
	if s.read {
		return readBack(ctx, r.lake, m)
	}
	return nil
}

// inFlight is how many cells are played at once: most of their time is waiting.
const inFlight = 16

// plays is how often a cell is played until its fault strikes. If the senders or
// deliveries of a scenario must meet, they may miss each other on a busy machine.
const plays = 4

func TestNoFaultLosesDoublesOrHidesAMessage(t *testing.T) {
	t.Parallel()
	script := newScript(programs(t))
	l, running := start(t, script.plan)
	r := &runner{lake: l, running: running, script: script}
	matrix := r.matrix(t)
	chosen := choose(matrix)
	t.Logf("the matrix has %d cells, %d of them are played", len(matrix), len(chosen))
	idle := chosen
	for play := 1; play <= plays && len(idle) > 0; play++ {
		if play > 1 {
			t.Logf("these did not strike and are played again: %q", idle)
		}
		idle = r.round(t, idle)
	}
	for _, c := range idle {
		t.Errorf("%s: the place was not reached in %d plays", c, plays)
	}
	r.audit(t)
}

// round plays cells and returns those whose fault did not strike.
func (r *runner) round(t *testing.T, chosen []cell) (idle []cell) {
	t.Helper()
	struck := make([]int, len(chosen)) // guarded by the script's lock
	slots := make(chan struct{}, inFlight)
	var playing sync.WaitGroup
	for i, c := range chosen {
		slots <- struct{}{}
		playing.Go(func() {
			defer func() { <-slots }()
			r.cell(t, c, func() { struck[i]++ })
		})
	}
	playing.Wait()
	r.settle(t) // the place may be on the way of a repeated delivery, after the message has ended
	r.script.mu.Lock()
	defer r.script.mu.Unlock()
	for i, c := range chosen {
		if struck[i] == 0 {
			idle = append(idle, c)
		}
	}
	return idle
}

// cell plays one cell. If its message dies, the audit sees its end.
func (r *runner) cell(t *testing.T, c cell, struck func()) {
	owner := r.owner()
	r.script.play(owner, c.strike(struck))
	began := time.Now()
	if err := r.play(t.Context(), c.scenario, owner, c.String(), c.dead()); err != nil {
		t.Errorf("%s: after %v: %v", c, time.Since(began).Round(time.Millisecond), err)
	}
}

// choose returns the cells of this run.
func choose(matrix []cell) (chosen []cell) {
	switch *which {
	case "all":
		return matrix
	case "short":
		return sample(matrix)
	}
	named := regexp.MustCompile(*which)
	for _, c := range matrix {
		if named.MatchString(c.String()) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// sample returns one cell of each place, without the slow ones. The kind differs from
// place to place and from seed to seed.
func sample(matrix []cell) (chosen []cell) {
	byPlace := map[place][]cell{}
	var order []place
	for _, c := range matrix {
		if c.kind == fault.Late || c.kind == fault.Stall || c.tries == second {
			continue // slow
		}
		if byPlace[c.at] == nil {
			order = append(order, c.at)
		}
		byPlace[c.at] = append(byPlace[c.at], c)
	}
	for i, at := range order {
		of := byPlace[at]
		chosen = append(chosen, of[(uint64(i)+*seed)%uint64(len(of))])
	}
	return chosen
}

// settle waits until everything that was started has ended.
func (r *runner) settle(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		pending, err := r.running.Pending()
		if err != nil {
			t.Fatal(err)
		}
		r.script.mu.Lock()
		late := r.script.until
		r.script.mu.Unlock()
		if pending == 0 && time.Now().After(late.Add(time.Second)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d asynchronous events are stuck", pending)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// audit compares the ledger with the lake.
func (r *runner) audit(t *testing.T) {
	t.Helper()
	problems, counts, err := r.lake.audit(t.Context(), r.ledger)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
	t.Logf("the ledger: %s", counts)
}
