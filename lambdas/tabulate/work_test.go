package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/contract"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/tables"
)

// withTwin is the world in an environment with a twin.
func (w world) withTwin() world {
	w.twin = derive.New("key", &fake.KMS{Secret: "secret"})
	return w
}

// twinHolds checks how many messages and results the twin has of each institution.
func (w world) twinHolds(messages, observations map[string]int) {
	w.t.Helper()
	for table, want := range map[string]map[string]int{"messages": messages, "observations": observations} {
		got := map[string]int{}
		for source, roots := range w.roots(contract.TablesDeid + "/" + table) {
			got[source] = len(slices.Compact(roots))
			if len(roots) != got[source] {
				w.t.Errorf("%s of %s: %d rows of %d messages", table, source, len(roots), got[source])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.t.Errorf("%s of the twin, -want +got:\n%s", table, diff)
		}
	}
}

func TestTheTwinIsMadeBesideTheTablesAndDoesNotRevealTheHour(t *testing.T) {
	w := newWorld(t)
	now := noon.Add(30 * time.Hour)
	for n := range 3 {
		for _, source := range []string{"north", "south"} {
			w.accept(source, noon.Add(time.Duration(n)*40*time.Minute), n)
		}
	}
	w.run(now, request{})
	w.twinHolds(map[string]int{}, map[string]int{})
	w = w.withTwin() // from now on
	if done := w.run(now, request{Late: true}); done.Hours != 4 {
		t.Errorf("the environment has a twin now: %+v", done)
	}
	w.twinHolds(map[string]int{"north": 3, "south": 3}, map[string]int{"north": 3, "south": 3})
	if done := w.run(now, request{Late: true}); done.Hours != 0 {
		t.Errorf("nothing new, and tables were made: %+v", done)
	}
	out, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tables"), Prefix: aws.String(contract.TablesDeid + "/")})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, object := range out.Contents {
		parts := strings.Split(*object.Key, "/")
		if len(parts) != 4 || len(parts[3]) != len("0123456789abcdef0123456789abcdef.parquet") {
			t.Errorf("%s", *object.Key)
		}
		names[parts[3]] = true
	}
	if len(names) != 4 {
		t.Errorf("files of four hours have the names %v", names)
	}
	ids := map[string]map[string]bool{}
	w.rows(contract.TablesDeid+"/patients", func(source string, r *tables.Reader, row []any) {
		if ids[source] == nil {
			ids[source] = map[string]bool{}
		}
		ids[source][row[slices.Index(r.Columns, "patient_id")].(string)] = true
	})
	for id := range ids["north"] {
		if ids["south"][id] {
			t.Errorf("%s stands for a patient of two institutions", id)
		}
	}
}

func TestWhatIsDeletedInTheLakeIsDeletedInTheTwin(t *testing.T) {
	w := newWorld(t).withTwin()
	first, second := w.accept("north", noon, 0), w.accept("north", noon.Add(time.Hour), 1)
	now := noon.Add(30 * time.Hour)
	w.run(now, request{})
	w.twinHolds(map[string]int{"north": 2}, map[string]int{"north": 2})
	if _, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String(key("north", second))}); err != nil {
		t.Fatal(err)
	}
	w.run(now, request{Late: true})
	w.twinHolds(map[string]int{"north": 1}, map[string]int{"north": 1})
	if done := w.run(now, request{From: noon, To: noon.Add(time.Hour)}); done.Messages != 1 {
		t.Errorf("rebuilt: %+v, want %s", done, first)
	}
	w.twinHolds(map[string]int{"north": 1}, map[string]int{"north": 1})
}

func TestARunThatIsKilledAtAnyWriteLosesAndDoublesNothingOfTheTwin(t *testing.T) {
	for writes := range 30 {
		w := newWorld(t).withTwin()
		w.accept("north", noon, 0)
		now := noon.Add(5 * time.Hour)
		w.run(noon.Add(10*time.Minute), request{})
		w.accept("north", noon.Add(time.Minute), 1)
		w.accept("north", noon.Add(time.Hour), 2)
		_, err := w.handler(&fragile{objectStore: w.Client, left: writes, after: writes%2 == 0}, now).tabulate(t.Context(), request{})
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		w.run(now, request{})
		w.twinHolds(map[string]int{"north": 3}, map[string]int{"north": 3})
	}
}
