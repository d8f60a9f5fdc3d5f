package judges

import (
	"path"
	"strings"
	"testing"
)

// acceptance is a finding of a judge that is no fault here, and why. Findings of cdk-nag are accepted beside their
// resources instead (accept in package stacks).
type acceptance struct {
	judge  string
	rule   string // as the judge names it
	about  string // what the message must contain; empty for any
	reason string
	where  []string // patterns (path.Match) of environment/stack/resource; each must cover a finding
}

func (a acceptance) covers(pattern string, found finding) bool {
	matches, err := path.Match(pattern, found.place)
	return err == nil && matches && a.rule == found.rule && strings.Contains(found.message, a.about)
}

// accepted is the table of acceptances.
func accepted() []acceptance {
	return nil
}

func TestAcceptancesSayWhyAndWhere(t *testing.T) {
	for _, each := range accepted() {
		if each.judge == "" || each.rule == "" || len(each.reason) < 20 || len(each.where) == 0 {
			t.Errorf("incomplete: %+v", each)
		}
		for _, pattern := range each.where {
			if _, err := path.Match(pattern, ""); err != nil || strings.Count(pattern, "/") != 2 {
				t.Errorf("%s is no environment/stack/resource", pattern)
			}
		}
	}
}

func TestWhatIsAcceptedMustBeFoundAndWhatIsFoundMustBeAccepted(t *testing.T) {
	findings := []finding{{"dev/Core/Lake1", "R1", "no logs"}, {"dev/Core/Lake1", "R2", "no lock"}}
	unaccepted, unneeded := weigh("judge", findings, []acceptance{
		{judge: "judge", rule: "R1", where: []string{"*/Core/Lake*", "prod/Core/Lake*"}},
		{judge: "judge", rule: "R2", about: "no versions", where: []string{"*/*/*"}},
		{judge: "another", rule: "R2", where: []string{"*/*/*"}},
	})
	if len(unaccepted) != 1 || unaccepted[0] != findings[1] {
		t.Errorf("unaccepted: %v", unaccepted)
	}
	if got := strings.Join(unneeded, "; "); got != "R1 at prod/Core/Lake*; R2 no versions at */*/*" {
		t.Errorf("unneeded: %s", got)
	}
}
