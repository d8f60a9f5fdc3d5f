package e2e_test

import (
	"context"
	"testing"

	"hl7lake/cmd/lake/scenario"
)

func TestTheDemosScenarioGoesAsItShould(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), *patience)
	defer cancel()
	report, err := scenario.Run(ctx, l.connection, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range report.Differences {
		t.Error(difference)
	}
	if staged, failed := report.Staged(); staged < 10 || failed < 2 {
		t.Errorf("%d staged and %d failed: the scenario has become too small to show anything", staged, failed)
	}
}
