package environment_test

import (
	"errors"
	"testing"

	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/environment"
)

// read calls a function that reads variables until the process would end, and returns the
// error.
func read(variables map[string]string, reads func(environment.Variables)) (ended error) {
	defer func() { ended, _ = recover().(error) }()
	reads(environment.New(
		func(name string) (string, bool) { text, ok := variables[name]; return text, ok },
		func(err error) { panic(err) },
	))
	return nil
}

func TestAVariableIsReadByItsName(t *testing.T) {
	ended := read(map[string]string{"LAKE_BUCKET": "lake", "CATALOG_TABLE": "catalog"}, func(v environment.Variables) {
		if bucket, table := v.Text(contract.EnvLakeBucket), v.Text(contract.EnvCatalogTable); bucket != "lake" || table != "catalog" {
			t.Errorf("got %q and %q", bucket, table)
		}
	})
	if ended != nil {
		t.Error(ended)
	}
}

func TestAMissingOrEmptyVariableEndsTheProcess(t *testing.T) {
	for name, variables := range map[string]map[string]string{"missing": {}, "empty": {"LAKE_BUCKET": ""}} {
		ended := read(variables, func(v environment.Variables) {
			v.Text(contract.EnvLakeBucket)
			t.Errorf("%s: it goes on", name)
		})
		missing, is := errors.AsType[*environment.MissingError](ended)
		if !is || missing.Name != "LAKE_BUCKET" || ended.Error() != "environment: LAKE_BUCKET must be set" {
			t.Errorf("%s: got %v", name, ended)
		}
	}
}

func TestANumberIsWholeAndAboveZero(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "90": 90, "0": 0, "-1": 0, "1.5": 0, "a": 0, "99999999999999999999": 0} {
		got := 0
		ended := read(map[string]string{"DAYS": text}, func(v environment.Variables) { got = v.Number("DAYS") })
		problem, wrong := errors.AsType[*environment.NumberError](ended)
		if got != want || wrong != (want == 0) || wrong && problem.Name != "DAYS" {
			t.Errorf("%q is %d, %v", text, got, ended)
		}
	}
	ended := read(nil, func(v environment.Variables) { v.Number("DAYS") })
	if _, missing := errors.AsType[*environment.MissingError](ended); !missing {
		t.Errorf("a number that is missing: %v", ended)
	}
}
