package stacks

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEnvironmentWithPlaceholdersIsRefusedWithTheNameOfEach(t *testing.T) {
	own := Prod()
	own.AlarmAddresses = []string{"on-call@hospital.test"}
	domain := own
	domain.Domain = &Domain{Name: "lake.example.org"}
	second := own
	second.AlarmAddresses = []string{"on-call@hospital.test", "night@EXAMPLE.com"}
	lookalike := own
	lookalike.AlarmAddresses = []string{"example@hospital.test", "on-call@example.org.hospital.test", "on-call@counterexample.org"}
	for name, test := range map[string]struct {
		env  Environment
		want []string
	}{
		"prod as it comes":        {Prod(), []string{"AlarmAddresses[0]"}},
		"dev as it comes":         {Dev(), nil},
		"one's own":               {own, nil},
		"a domain":                {domain, []string{"Domain.Name"}},
		"one address of two":      {second, []string{"AlarmAddresses[1]"}},
		"names that only look so": {lookalike, nil},
	} {
		var refused *PlaceholderError
		var got []string
		if errors.As(test.env.CheckPlaceholders(), &refused) {
			got = refused.Settings
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
