package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/tables"
)

// TestSQLAsksADeployedLake uses a lake on this machine with a deployed lake's outputs, as
// the AWS SDK's configuration says where it is.
func TestSQLAsksADeployedLake(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake")
	}
	needDuckDB(t)
	dir := filepath.Join(t.TempDir(), "lake")
	defer startUp(t, dir)()
	sent := call(t, nil, "", "send", "--wait", sampleFolder, "--dir", dir)
	if sent.Status != statusDone && sent.Status != statusRefused {
		t.Fatalf("%+v", sent)
	}
	const query = "SELECT count(*) AS messages, (SELECT count(*) FROM observations_current) AS results FROM messages"
	here := call(t, nil, "", "sql", "--json", query, "--dir", dir)
	if here.Status != statusDone || !strings.Contains(here.Out, `"messages":15`) {
		t.Fatalf("%+v", here)
	}
	connection, err := client.ReadConnection(filepath.Join(dir, connectionFile))
	if err != nil {
		t.Fatal(err)
	}
	variables, err := environment(connection)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		t.Setenv(v.name, v.value)
	}
	text, err := json.Marshal(connection.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, text, 0o600); err != nil {
		t.Fatal(err)
	}
	questions := filepath.Join(t.TempDir(), "questions.sql")
	if err := os.WriteFile(questions, []byte(query+";\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)

	day := time.Now().UTC().Truncate(24 * time.Hour)
	before, after := day.AddDate(0, 0, -1).Format(time.DateOnly), day.AddDate(0, 0, 2).Format(time.DateOnly)
	none := strings.NewReplacer(`"messages":15`, `"messages":0`).Replace(here.Out)
	none = none[:strings.Index(none, `"results"`)] + `"results":0}]` + "\n"
	tests := []struct {
		name      string
		arguments []string
		input     string
		status    int
		want      string // on standard output
	}{
		{"all", []string{query}, "", statusDone, here.Out},
		{"a file", []string{questions}, "", statusDone, here.Out},
		{"standard input", nil, query + ";", statusDone, here.Out},
		{"one institution", []string{query, "--source", "st-elsewhere", "--from", before, "--to", after}, "", statusDone, here.Out},
		{"another institution", []string{query, "--source", "elsewhere"}, "", statusDone, none},
		{"later messages", []string{query, "--from", after}, "", statusDone, none},
		{"earlier messages", []string{query, "--to", before}, "", statusDone, none},
		{"a table that is not named as one", []string{"FROM query('FROM pat' || 'ients')"}, "", statusRefused, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, nil, test.input, append([]string{"sql", "--json", "--outputs", outputs}, test.arguments...)...)
			if got.Status != test.status || got.Out != test.want {
				t.Errorf("%+v, want %q", got, test.want)
			}
		})
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("copies are left: %v, %v", left, err)
	}
}

func TestWhoMayNotListAllTablesIsToldToNameAnInstitution(t *testing.T) {
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	defer storage.Close()
	programs := t.TempDir()
	if err := os.WriteFile(filepath.Join(programs, "duckdb"), []byte("#!/bin/sh\nexit 9\n"), 0o700); err != nil { // it must not run
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PATH": programs, "AWS_ENDPOINT_URL": storage.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
	} {
		t.Setenv(name, value)
	}
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	text, err := json.Marshal(client.Outputs{
		"hl7lake-dev-core": {
			client.OutputLake: "lake", client.OutputHub: "arn:aws:sns:us-east-1:123456789012:hub", client.OutputCatalog: "catalog", client.OutputClaimCheck: "checks",
		},
		"hl7lake-dev-front-door": {client.OutputPool: "us-east-1_a", client.OutputReceived: "received"},
		"hl7lake-dev-tables":     {client.OutputTables: "tables"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outputs, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		arguments []string
		hint      bool
	}{{nil, true}, {[]string{"--source", "north"}, false}} {
		got := call(t, nil, "", append([]string{"sql", "FROM visits", "--outputs", outputs}, test.arguments...)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, "AccessDenied") || strings.Contains(got.Err, "--source NAME") != test.hint {
			t.Errorf("%v: %+v", test.arguments, got)
		}
	}
}

func TestAQueryWantsTheTablesThatItNames(t *testing.T) {
	all := []string{}
	for _, table := range tables.New().All() {
		all = append(all, table.Name)
	}
	for query, want := range map[string][]string{
		"":                                all,
		"SELECT 1":                        {},
		"FROM Visits v JOIN \"patients\"": {"patients", "visits"},
		"FROM observations_current":       {"observations"},
		"FROM my_patients":                {},
	} {
		got := []string{}
		for _, table := range asked(query) {
			got = append(got, table.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", query, diff)
		}
	}
}

func TestAPartIsByInstitutionAndWholeHours(t *testing.T) {
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	at := func(source string, hour time.Time) tables.Partition {
		return tables.Partition{Table: "visits", Source: source, Hour: hour}
	}
	tests := []struct {
		name string
		part part
		of   tables.Partition
		want bool
	}{
		{"all", part{}, at("north", noon), true},
		{"its institution", part{source: "north"}, at("north", noon), true},
		{"another institution", part{source: "north"}, at("south", noon), false},
		{"from within the hour", part{from: noon.Add(59 * time.Minute)}, at("north", noon), true},
		{"from the next hour", part{from: noon.Add(time.Hour)}, at("north", noon), false},
		{"to within the hour", part{to: noon.Add(time.Minute)}, at("north", noon), true},
		{"to its beginning", part{to: noon}, at("north", noon), false},
	}
	for _, test := range tests {
		if got := test.part.has(test.of); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestAPartIsOneOfADeployedLake(t *testing.T) {
	needDuckDB(t)
	for _, arguments := range [][]string{{"--source", "north"}, {"--from", "2026-03-01"}, {"--to", "2026-03-01"}} {
		got := call(t, nil, "", append([]string{"sql", "SELECT 1", "--tables", t.TempDir()}, arguments...)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, "go with --outputs") {
			t.Errorf("%v: %+v", arguments, got)
		}
	}
	got := call(t, nil, "", "sql", "SELECT 1", "--outputs", "outputs.json", "--from", "yesterday")
	if got.Status != statusUnusable || !strings.Contains(got.Err, "--from yesterday: want a day") {
		t.Errorf("%+v", got)
	}
}
