package stacks

import (
	"strings"
	"testing"
)

func TestAnEnvironmentIsFoundByItsName(t *testing.T) {
	for _, want := range Environments() {
		got, err := EnvironmentNamed(want.Name)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", want.Name, got, err)
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
