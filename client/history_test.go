package client

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const staged = `{"id":"1","status":"staged","owner":"st-elsewhere","type":"ADT^A01","charset":"utf-8","ended":true,"received":"2026-03-01T12:00:00.000Z","history":[
	{"zone":"staging","id":"2","parent":"1","bucket":"b","key":"staging/2.json","sha256":"aa","size":20,"protocol":"hl7v2","format":"json","connector":"staging-er7","version":1,"written":"2026-03-01T12:00:00.100Z","attempts":1},
	{"zone":"ingestion","id":"1","bucket":"b","key":"ingestion/1.er7","sha256":"bb","size":10,"written":"2026-03-01T12:00:00.200Z","attempts":2}]}`

func TestAHistoryIsReadAsTheLakeWritesIt(t *testing.T) {
	lake, _ := answers(t, answering(200, staged))
	got, err := lake.History(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, ms*1e6, time.UTC) }
	want := History{
		ID: "1", Status: Staged, Ended: true, Owner: "st-elsewhere", Type: "ADT^A01", Charset: "utf-8", Received: at(0),
		Steps: []Step{
			{Zone: Staging, ID: "2", Parent: "1", Bucket: "b", Key: "staging/2.json", SHA256: "aa", Size: 20, Protocol: "hl7v2", Format: "json", Connector: "staging-er7", Version: 1, Written: at(100), Attempts: 1},
			{Zone: Ingestion, ID: "1", Bucket: "b", Key: "ingestion/1.er7", SHA256: "bb", Size: 10, Written: at(200), Attempts: 2},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheOutcomeIsTheStepThatTheStatusIsAbout(t *testing.T) {
	sent, json, failed := Step{Zone: Ingestion}, Step{Zone: Staging, Connector: "staging-er7"}, Step{Zone: Failed, Connector: "staging-er7"}
	patient, refused := Step{Zone: Staging, Connector: "patients"}, Step{Zone: Failed, Connector: "patients"}
	tests := []struct {
		name    string
		history History
		want    Step
	}{
		{"accepted", History{Status: Accepted}, Step{}},
		{"ingested", History{Status: Ingested, Steps: []Step{sent}}, Step{}},
		{"another connector was faster", History{Status: Ingested, Steps: []Step{sent, patient}}, Step{}},
		{"staged, its original on the way", History{Status: Staged, Steps: []Step{json}}, json},
		{"staged, then by another connector", History{Status: Staged, Steps: []Step{sent, json, patient}}, json},
		{"failed", History{Status: Errored, Steps: []Step{sent, failed, refused, patient}}, failed},
		{"failed, then staged by a later version", History{Status: Staged, Steps: []Step{sent, failed, json}}, json},
		{"another format", History{Status: Staged, Protocol: "x12", Format: "edi", Steps: []Step{sent, patient}}, patient},
		{"another format, failed", History{Status: Errored, Protocol: "x12", Format: "edi", Steps: []Step{sent, refused}}, refused},
	}
	for _, test := range tests {
		if got, found := test.history.Outcome(); got != test.want || found != (got != Step{}) {
			t.Errorf("%s: got %+v, %v", test.name, got, found)
		}
	}
}

func TestWaitAsksUntilTheWayHasEnded(t *testing.T) {
	accepted := answering(200, `{"id":"1","status":"accepted","history":[]}`)
	lake, requests := answers(t, accepted, accepted, answering(200, staged))
	history, err := lake.Wait(t.Context(), "1")
	if err != nil || history.Status != Staged || *requests != 3 {
		t.Errorf("%s, %v after %d requests", history.Status, err, *requests)
	}
}

func TestAReasonNamesItsPlace(t *testing.T) {
	tests := map[string]Reason{
		"no-header at segment 1, byte 0":             {Code: "no-header", Segment: 1},
		"bad-delimiters at segment 1, MSH-2, byte 4": {Code: "bad-delimiters", Segment: 1, Path: "MSH-2", Offset: 4},
		"empty at byte 0":                            {Code: "empty"},
	}
	for want, reason := range tests {
		if got := reason.String(); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
