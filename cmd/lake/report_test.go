package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/cmd/lake/samples"
	"hl7lake/cmd/lake/scenario"
)

// performance is a report like the demo's, with a difference if something went wrong.
func performance(differences ...string) scenario.Report {
	users := scenario.Users()
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	step := func(zone client.Zone, after int, size int64) client.Step {
		made := client.Step{Zone: zone, Size: size, Written: received.Add(time.Duration(after) * time.Millisecond)}
		if zone != client.Ingestion {
			made.Connector, made.Version = "staging-er7", 2
		}
		return made
	}
	failed := step(client.Failed, 1250, 49)
	failed.Reason = &client.Reason{Code: "bad-delimiters", Segment: 1, Path: "MSH-2", Offset: 4}
	posts := []scenario.Post{}
	for i, status := range []int{201, 201, 403, 403, 409, 409} {
		text := []string{"adt-a01.hl7", "not-hl7.txt"}[i%2]
		posts = append(posts, scenario.Post{User: users[i/2].Email, Text: text, Want: status, Status: status, ID: fmt.Sprint(i % 2)})
	}
	report := scenario.Report{
		Institution: scenario.Institution, Users: users, Posts: posts,
		OverMLLP: scenario.OverMLLP{Text: "adt-a02.hl7", Code: "AA", Ack: "MSH|^~\\&|LAKE||||20260301120000+0000||ACK^A02^ACK|1|T|2.5.1\nMSA|AA|SAMPLE-0015"},
		Reads:    []scenario.Read{{User: users[0].Email, Want: 200, Status: 200}, {User: users[1].Email, Want: 200, Status: 200}, {User: users[2].Email, Want: 404, Status: 404}},
		Messages: []scenario.Message{
			{Name: "adt-a01.hl7", Shape: "CR", Type: "ADT^A01", Version: "2.5.1", Bytes: 704, ID: "1",
				History: client.History{Status: client.Staged, Received: received, Steps: []client.Step{step(client.Ingestion, 40, 704), step(client.Staging, 84, 2130)}},
				JSON:    json.RawMessage(`{"segments":[{"id":"MSH","fields":{}},{"id":"PID","fields":{"5":[{"1":"Testperson"}],"3":[{"1":"4711"}],"11":[{"3":"Sampletown"}]}}]}`)},
			{Name: "not-hl7.txt", Shape: "a line of text", Type: "unknown", Bytes: 49, ID: "2",
				History: client.History{Status: client.Errored, Received: received, Steps: []client.Step{step(client.Ingestion, 50, 49), failed}}},
		},
		Differences: differences,
		Took:        1740 * time.Millisecond,
	}
	if len(differences) > 0 {
		report.Posts[2].Status = 201
		report.Messages[0].History = client.History{Status: client.Ingested, Received: received, Steps: []client.Step{step(client.Ingestion, 40, 704)}}
		report.Messages[0].JSON, report.Messages[0].Differences = nil, []string{"still ingested after 30s"}
	}
	return report
}

// resultOf is that of a demo with this report, which was answered by a program.
func resultOf(report scenario.Report, by string) demoResult {
	return demoResult{report, answer{
		Query: strings.ReplaceAll(demoQuestion().sql(), "\n", " "), By: by, Columns: demoQuestion().columns,
		Rows: [][]any{{"Hemoglobin", 13.2, "g/dL", "12.0-16.0", "N"}, {"Leukocytes", 11.9, "10*3/uL", nil, nil}},
	}}
}

func TestTheDemosReport(t *testing.T) {
	bad := performance("reader@st-elsewhere.example posted adt-a01.hl7: the answer is 201, not 403", "adt-a01.hl7: still ingested after 30s")
	for name, result := range map[string]demoResult{"good": resultOf(performance(), "duckdb"), "bad": resultOf(bad, "parquet")} {
		for mode, colour := range map[string]bool{"plain": false, "colour": true} {
			t.Run(name+" "+mode, func(t *testing.T) {
				var out bytes.Buffer
				if err := writeReport(term.Screen{Writer: &out, Colour: colour}.Clean(), result, 840*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				golden(t, "report-"+name+"-"+mode+".txt", out.Bytes())
			})
		}
	}
}

func TestTheDemosTablesFit80Columns(t *testing.T) {
	all := append(samples.Others(), samples.Admission(), samples.NotHL7(), samples.Document())
	report := performance()
	report.Messages = nil
	for _, sample := range all {
		failed := client.Step{Zone: client.Failed, Reason: &client.Reason{Code: "truncated-header", Path: "MSH-2"}}
		report.Messages = append(report.Messages, scenario.Message{Name: sample.Name, Shape: sample.Shape, Type: sample.Type, Version: sample.Version,
			History: client.History{Status: client.Errored, Steps: []client.Step{failed}}})
	}
	var out bytes.Buffer
	if err := errors.Join(wayTable(report).Write(term.Screen{Writer: &out}), accessTable(report).Write(term.Screen{Writer: &out})); err != nil {
		t.Fatal(err)
	}
	fits(t, "the demo", out.String())
}

func TestTheDemosReportForMachines(t *testing.T) {
	var out bytes.Buffer
	l := &program{out: term.Screen{Writer: &out}, json: true}
	if err := l.showReport(resultOf(performance(), "duckdb"), time.Second); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", indented(out.Bytes()))
}

func TestATimeline(t *testing.T) {
	history := performance().Messages[1].History
	history.ID, history.Type, history.Owner = "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "unknown", "st-elsewhere"
	history.Steps = slices.Clone(history.Steps)
	for i := range history.Steps {
		history.Steps[i].Key = string(history.Steps[i].Zone) + "/protocol=hl7v2/source=st-elsewhere/date=2026-03-01/x"
		history.Steps[i].Attempts = i + 1
	}
	for mode, colour := range map[string]bool{"plain": false, "colour": true} {
		var out bytes.Buffer
		if err := timeline(term.Screen{Writer: &out, Colour: colour}.Clean(), history); err != nil {
			t.Fatal(err)
		}
		golden(t, "timeline-"+mode+".txt", out.Bytes())
	}
}

func TestDurationsAndSizesAreWrittenForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 ms", 84 * time.Millisecond: "84 ms", 1250 * time.Millisecond: "1.2 s", 59 * time.Second: "59.0 s", 303 * time.Second: "5m3s"} {
		if got := took(d); got != want {
			t.Errorf("%v: %s, not %s", d, got, want)
		}
	}
	for bytes, want := range map[int64]string{0: "0 B", 704: "704 B", 999: "999 B", 1000: "1.0 kB", 2130: "2.1 kB", 410_123: "410 kB", 999_600: "1.0 MB", 3_000_000_000: "3.0 GB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s, not %s", bytes, got, want)
		}
	}
}
