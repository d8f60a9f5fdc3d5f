package environment_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/environment"
)

type settings struct {
	Bucket string `env:"LAKE_BUCKET"`
	Table  string `env:"CATALOG_TABLE"`
}

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { text, ok := vars[name]; return text, ok }
}

func TestEachVariableReachesItsField(t *testing.T) {
	got, err := environment.Load[settings](lookup(map[string]string{"LAKE_BUCKET": "lake", "CATALOG_TABLE": "catalog"}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(settings{Bucket: "lake", Table: "catalog"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMissingAndEmptyVariablesAreNamedTogether(t *testing.T) {
	_, err := environment.Load[settings](lookup(map[string]string{"CATALOG_TABLE": ""}))
	var missing *environment.MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v, want a MissingError", err)
	}
	if want := "environment: LAKE_BUCKET, CATALOG_TABLE must be set"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestAnUnsetVariableMayHaveADefault(t *testing.T) {
	type settings struct {
		Name string `env:"NAME" default:"unnamed"`
	}
	for variable, want := range map[string]string{"": "unnamed", "dev": "dev"} {
		got, err := environment.Load[settings](lookup(map[string]string{"NAME": variable}))
		if err != nil || got.Name != want {
			t.Errorf("%q: got %q, %v; want %q", variable, got.Name, err, want)
		}
	}
}

func TestANumberIsWholeAndAboveZero(t *testing.T) {
	type settings struct {
		Days int `env:"DAYS"`
	}
	for text, want := range map[string]int{"1": 1, "90": 90, "0": 0, "-1": 0, "1.5": 0, "a": 0, "99999999999999999999": 0} {
		got, err := environment.Load[settings](func(string) (string, bool) { return text, true })
		problem, wrong := errors.AsType[*environment.NumberError](err)
		if got.Days != want || wrong != (want == 0) || wrong && problem.Name != "DAYS" {
			t.Errorf("%q is %d, %v", text, got.Days, err)
		}
	}
	if _, err := environment.Load[settings](func(string) (string, bool) { return "", false }); err == nil {
		t.Error("a number that is missing is no error")
	}
}
