package stacks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEnvironmentIsFoundByItsName(t *testing.T) {
	for _, want := range Environments() {
		got, err := EnvironmentNamed(want.Name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", want.Name, err, diff)
		}
	}
}

func TestACopyIsRefusedNoLongerThanTheFirstIsKept(t *testing.T) {
	for kept, want := range map[float64]float64{0: 90, 1: 1, 30: 30, 90: 90, 365: 90} {
		env := Environment{Zones: Zones{Ingestion: Aging{ExpireAfterDays: kept}}}
		if got := env.receivedDays(); got != want {
			t.Errorf("kept for %g days (0 is for ever), refused for %g, want %g", kept, got, want)
		}
	}
}

func TestAnUnknownEnvironmentIsAnErrorThatListsTheKnownOnes(t *testing.T) {
	for _, name := range []string{"", "qa", "DEV", "prod "} {
		_, err := EnvironmentNamed(name)
		if err == nil {
			t.Errorf("%q: no error", name)
			continue
		}
		for _, env := range Environments() {
			if !strings.Contains(err.Error(), env.Name) {
				t.Errorf("%q: %q does not name %s", name, err, env.Name)
			}
		}
	}
}

func TestNoInstitutionMayPostAsMuchAsARouteLetsThrough(t *testing.T) {
	for _, env := range Environments() {
		owner, all := env.OwnerLimit, env.PostLimit
		if owner.PerSecond < 1 || owner.PerSecond > all.PerSecond/2 || owner.Burst < owner.PerSecond || owner.Burst > all.Burst/2 {
			t.Errorf("%s: one institution may post %v, all together %v", env.Name, owner, all)
		}
	}
}
