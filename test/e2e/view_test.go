package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/internal/testing/canary"
	"hl7lake/local"
	"hl7lake/local/store"
)

func TestAMessageIsViewedPageByPageByThoseWhoMayReadIt(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	ours := l.client(t, tokens)
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	const results, long = 700, 100_000
	body := "MSH|^~\\&|LAB|HERE|||20260302||ORU^R01^ORU_R01|7|T|2.5.1\rPID|1||7||Doe^Jo\rOBR|1|||x\r" +
		strings.Repeat("OBX|1|NM|8||1||||||F\r", results) + "OBX|2|TX|8||\\T\\" + strings.Repeat("x", long) + "||||||F\r"
	receipt, err := ours.Send(t.Context(), client.Message{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	ended(t, ours, receipt.ID)

	var segments []client.ViewSegment
	for from := 0; from > 0 || segments == nil; {
		page, err := ours.View(t.Context(), receipt.ID, from)
		if err != nil || page.ID != receipt.ID || page.Total != results+4 || page.From != from || page.Structure != "ORU_R01" || !strings.Contains(page.Ack, "MSA|AA|7") {
			t.Fatalf("%+v %v", page, err)
		}
		segments, from = append(segments, page.Segments...), page.Next
	}
	if len(segments) != results+4 || segments[1].Title != "Patient Identification" || segments[1].Fields[4].Name != "Patient Name" {
		t.Errorf("%d segments", len(segments))
	}
	last := segments[results+3].Fields[4].Repetitions[0]
	if last.Folded == 0 || len(last.Raw)+last.Folded != long+3 || !strings.HasPrefix(last.Text, "&x") {
		t.Errorf("%d of %d bytes are folded", last.Folded, long)
	}
	for decoded, want := range map[bool]string{false: "\\T\\" + strings.Repeat("x", long), true: "&" + strings.Repeat("x", long)} {
		if got, err := ours.Value(t.Context(), receipt.ID, results+3, "OBX-5[1]", decoded); got != want || err != nil {
			t.Errorf("a value of %d bytes: %v", len(got), err)
		}
	}

	_, err = theirs.View(t.Context(), receipt.ID, 0)
	if problem, refused := errors.AsType[*client.Problem](err); !refused || problem.Status != 404 || problem.Code != "not-found" {
		t.Errorf("another institution's message: %v", err)
	}
	_, err = theirs.Value(t.Context(), receipt.ID, 1, "PID-5", false)
	if problem, refused := errors.AsType[*client.Problem](err); !refused || problem.Status != 404 || problem.Code != "not-found" {
		t.Errorf("another institution's value: %v", err)
	}
	answer := l.mustDo(t, request{method: http.MethodGet, path: "/messages/" + receipt.ID + "/view", token: token(t, tokens)})
	decoder := json.NewDecoder(strings.NewReader(answer.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(new(client.View)); err != nil || answer.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the client does not know all of a view: %v, %v", err, answer.header)
	}
}

func TestAMessageThatIsNoHL7IsViewedAsLinesAndNothingViewedIsLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := startWith(t, local.Options{Dir: dir, Addr: "127.0.0.1:0", Durability: store.Fleeting})
	c := l.client(t, l.admin(t))
	for _, body := range [][]byte{canary.Message(), []byte("no message: " + canary.ControlID)} {
		receipt, err := c.Send(t.Context(), client.Message{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		history := ended(t, c, receipt.ID)
		page, err := c.View(t.Context(), receipt.ID, 0)
		if err != nil || (page.Fault != nil) != (history.Status == client.Errored) || len(canary.Leaks(page)) == 0 {
			t.Errorf("%+v %v", page, err)
		}
		if outcome, _ := history.Outcome(); page.Fault != nil && (outcome.Reason == nil || page.Fault.Code != outcome.Reason.Code || page.Fault.Offset != outcome.Reason.Offset) {
			t.Errorf("the fault is %+v, and the catalog's reason %+v", page.Fault, outcome.Reason)
		}
		if value, err := c.Value(t.Context(), receipt.ID, 0, "", false); err != nil || value == "" {
			t.Errorf("%q %v", value, err)
		}
	}
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	viewed := 0
	for _, file := range logs {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		canary.Check(t, file, string(log))
		viewed += strings.Count(string(log), `"part":"view"`)
	}
	if viewed != 2 {
		t.Errorf("%d views are recorded", viewed)
	}
}
