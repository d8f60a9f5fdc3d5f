// Package differential gets a second opinion on the local lake. It sends the same
// requests to the lake and to moto's server, an emulator of AWS that shares no code with
// it, and the answers must agree. Where they do not, AWS's documentation decides. Either
// the local lake is wrong and is repaired, or the disagreement is in a table, with the
// page that decides it. A disagreement that is not in the table fails the test, and so
// does a row without a disagreement.
//
// Moto cannot be asked everything: it does not evaluate policies, serves no HTTP API,
// starts no Express workflow, and runs functions in Docker only. So the state machines of
// both call the same functions of this test, and a topic's deliveries are compared at
// queues. Causes of failures, which are for people, are not compared.
//
// moto_server is a Python program (pip install 'moto[server]'). If it is not installed
// the test is skipped; with CI=true that is a failure.
package differential_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestTheLocalLakeAgreesWithASecondOpinion compares service by service.
func TestTheLocalLakeAgreesWithASecondOpinion(t *testing.T) {
	functions := newFunctions(t)
	moto := startMoto(t, functions)
	opinions := newOpinions()
	t.Run("compared", func(t *testing.T) {
		for area, compare := range map[string]func(*testing.T, *server, verdict){
			"dynamodb": compareDynamoDB,
			"sns":      compareSNS,
			"states":   func(t *testing.T, moto *server, v verdict) { compareStates(t, moto, functions, v) },
			"s3":       compareS3,
			"cognito":  compareCognito,
		} {
			t.Run(area, func(t *testing.T) {
				t.Parallel()
				compare(t, moto, func(name, ours, motos string) { opinions.compare(t, area, name, ours, motos) })
			})
		}
	})
	opinions.report(t)
}

// verdict takes the two answers in one case, in words that are the same if the answers
// mean the same. The name says what was asked.
type verdict func(name, ours, motos string)

// disagreement is a difference in which the local lake does what AWS does.
type disagreement struct {
	area  string
	asked *regexp.Regexp // matches the case's name
	ours  *regexp.Regexp // matches the local lake's answer
	motos *regexp.Regexp // matches moto's
	page  string         // of AWS's documentation, with what it says
}

// opinions counts how often the two agree.
type opinions struct {
	known []disagreement

	mu     sync.Mutex
	agreed map[string]int // by area
	silent map[string]int // by area: moto failed to answer the question
	differ []int          // by row of known
}

func newOpinions() *opinions {
	known := knownDisagreements()
	return &opinions{known: known, agreed: map[string]int{}, silent: map[string]int{}, differ: make([]int, len(known))}
}

func (o *opinions) compare(t *testing.T, area, name, ours, motos string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if ours == motos {
		o.agreed[area]++
		return
	}
	if strings.HasPrefix(motos, brokeDown) {
		o.silent[area]++
		return
	}
	row := slices.IndexFunc(o.known, func(d disagreement) bool {
		return d.area == area && d.asked.MatchString(name) && d.ours.MatchString(ours) && d.motos.MatchString(motos)
	})
	if row < 0 {
		t.Errorf("%s\n   here: %s\n   moto: %s", name, ours, motos)
		return
	}
	o.differ[row]++
}

// brokeDown begins an answer that is not an opinion: moto failed (HTTP 500) where AWS
// would answer.
const brokeDown = "HTTP 5"

// report prints the counts, and compares the disagreements with the table.
func (o *opinions) report(t *testing.T) {
	total := 0
	for _, area := range slices.Sorted(maps.Keys(o.agreed)) {
		t.Logf("%-9s %4d agree, %3d disagree as known, %3d without an opinion", area, o.agreed[area], o.disagreed(area), o.silent[area])
		if o.silent[area] > o.agreed[area]/5 {
			t.Errorf("moto broke down over too many questions about %s for a second opinion", area)
		}
		total += o.agreed[area]
	}
	t.Logf("%-9s %4d agree, %3d disagree as known, in %d ways", "together", total, o.disagreed(""), len(o.known))
	for row, d := range o.known {
		if o.differ[row] == 0 {
			t.Errorf("nothing disagrees any more as in: %s: %s, here %s, moto %s", d.area, d.asked, d.ours, d.motos)
		}
	}
}

// disagreed counts the known disagreements in an area; an empty area means all.
func (o *opinions) disagreed(area string) (n int) {
	for row, d := range o.known {
		if cmp.Or(area, d.area) == d.area {
			n += o.differ[row]
		}
	}
	return n
}

// row makes a row of the table. The patterns match whole texts.
func row(area, asked, ours, motos, page string) disagreement {
	whole := func(pattern string) *regexp.Regexp { return regexp.MustCompile(fmt.Sprintf("^(?s:%s)$", pattern)) }
	return disagreement{area, whole(asked), whole(ours), whole(motos), page}
}
