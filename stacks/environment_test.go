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
