package fault_test

import (
	"fmt"
	"regexp"
	"sync"
	"time"

	"hl7lake/local/fault"
)

// place is a point as the matrix names it, the same in every run: the n-th call of this
// kind that a program makes in one run, or a delivery to it.
type place struct {
	program string // ingest, writer…
	call    string // as in fault.Point
	nth     int    // counted from 1; 0 for a delivery
	event   string // of the writer: the event that it stores
}

func (p place) String() string {
	text := p.program + " " + p.call
	if p.nth > 0 {
		text += fmt.Sprintf(" #%d", p.nth)
	}
	if p.event != "" {
		text += " of " + p.event
	}
	return text
}

// delivery reports whether the place is a delivery to the program.
func (p place) delivery() bool { return p.nth == 0 }

// tries is how many of the attempts at a place a fault strikes.
type tries string

const (
	once   tries = "once"   // the SDK's or the topic's first attempt; the next one succeeds
	first  tries = "first"  // every attempt of the first run or delivery
	second tries = "second" // every attempt of the first two
	always tries = "always" // every one, so that what is asynchronous ends in a dead-letter queue
)

// strikes reports whether a fault strikes an attempt of the given visit of a place.
func (t tries) strikes(visit, attempt int) bool {
	switch t {
	case once:
		return visit == 1 && attempt == 1
	case first:
		return visit == 1
	case second:
		return visit <= 2
	default:
		return true
	}
}

// script is the plan of a lake on which each institution plays its own part, so that many
// can play at once.
type script struct {
	programs map[string]string // by function

	mu    sync.Mutex
	parts map[string]*part // by institution
	until time.Time        // when the last late effect has happened
}

// part are the faults for an institution's messages, and what was seen of them.
type part struct {
	strike func(at place, visit, attempt int) fault.Fault
	seen   []place // in the order of the first visit

	visits map[place]int
	runs   map[string]place // the place of a call, by its id
	nth    map[string]int   // calls of a kind in one run so far
}

func newScript(programs map[string]string) *script {
	return &script{programs: programs, parts: map[string]*part{}}
}

// play begins an institution's part.
func (s *script) play(owner string, strike func(at place, visit, attempt int) fault.Fault) *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[owner] = &part{strike: strike, visits: map[place]int{}, runs: map[string]place{}, nth: map[string]int{}}
	return s.parts[owner]
}

// owners are the institutions of this package's tests.
var owners = regexp.MustCompile(`cell-[0-9]{4}`)

// events finds out which event an SNS message is about.
var events = regexp.MustCompile(`"event":\{"Type":"String","Value":"([a-z]+)"\}`)

// plan is the fault.Plan.
func (s *script) plan(p fault.Point) fault.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	acts, known := s.parts[string(owners.Find(p.Payload))]
	if !known {
		return fault.Fault{}
	}
	at, fresh := acts.place(s.programs[p.Function], p)
	if acts.visits[at] == 0 {
		acts.seen = append(acts.seen, at)
	}
	if fresh {
		acts.visits[at]++
	}
	f := acts.strike(at, acts.visits[at], p.Attempt)
	if effect := time.Now().Add(f.Delay); f.Kind == fault.Late && effect.After(s.until) {
		s.until = effect
	}
	return f
}

// place names a point, and reports whether it is a new visit and not a further attempt.
func (a *part) place(program string, p fault.Point) (at place, fresh bool) {
	at = place{program: program, call: p.Call}
	if found := events.FindSubmatch(p.Payload); program == "writer" && found != nil {
		at.event = string(found[1])
	}
	if p.Run == "" {
		return at, p.Attempt == 1
	}
	if named, known := a.runs[p.CallID]; known {
		return named, false
	}
	kind := p.Run + " " + p.Call
	a.nth[kind]++
	at.nth = a.nth[kind]
	if p.Call == "dynamodb:GetItem" {
		at.nth = 1 // a claim is looked at as often as necessary
	}
	a.runs[p.CallID] = at
	return at, true
}
