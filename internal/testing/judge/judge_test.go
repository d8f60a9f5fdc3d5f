package judge_test

import (
	"testing"

	"hl7lake/internal/testing/judge"
)

func TestAProgramIsRequiredByItsWholeName(t *testing.T) {
	t.Setenv("JUDGES", " duckdb-cli  boto3")
	for name, want := range map[string]bool{"duckdb-cli": true, "boto3": true, "duckdb": false, "": false} {
		if judge.Required(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestWithoutAProgramATestIsSkippedUnlessTheProgramIsRequired(t *testing.T) {
	t.Setenv("JUDGES", "boto3")
	for name, want := range map[string]string{"boto3": "failed", "moto_server": "skipped"} {
		ended := &ending{TB: t}
		judge.Missing(ended, name, "not there")
		if ended.as != want {
			t.Errorf("without %s the test has %s", name, ended.as)
		}
	}
}

// ending notes how a test ends first.
type ending struct {
	testing.TB
	as string
}

func (e *ending) Fatal(...any) { e.end("failed") }
func (e *ending) Skip(...any)  { e.end("skipped") }

func (e *ending) end(as string) {
	if e.as == "" {
		e.as = as
	}
}
