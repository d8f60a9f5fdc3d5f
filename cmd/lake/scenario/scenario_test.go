package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
)

// The scenario itself is played on a whole lake in test/e2e and by `lake demo`. Here it
// must notice a lake that is wrong.

func TestAWrongAnswerToAPostIsADifference(t *testing.T) {
	tests := []struct {
		name string
		post Post
		want string // "" if all is well
	}{
		{"accepted", Post{Want: 201, Status: 201, ID: "1"}, ""},
		{"refused", Post{Want: 403, Status: 403}, ""},
		{"a duplicate of the first", Post{Want: 409, WantID: "1", Status: 409, ID: "1"}, ""},
		{"let in", Post{Want: 403, Status: 201, ID: "1"}, "201"},
		{"accepted twice", Post{Want: 409, WantID: "1", Status: 201, ID: "2"}, "201"},
		{"a duplicate of another", Post{Want: 409, WantID: "1", Status: 409, ID: "2"}, "the duplicate's id is 2"},
	}
	for _, test := range tests {
		var p play
		p.check(test.post)
		told := strings.Join(p.report.Differences, "\n")
		if (told == "") != (test.want == "") || !strings.Contains(told, test.want) || test.post.AsExpected() != (test.want == "") {
			t.Errorf("%s: %q", test.name, told)
		}
	}
}

// way is the history of a sample that was processed without a fault.
func way(sample samples.Sample) client.History {
	m := Message{sample: sample}
	outcome := client.Step{Zone: client.Staging, Connector: "staging-er7", Version: 2}
	status := client.Staged
	if !sample.HL7() {
		outcome = client.Step{Zone: client.Failed, Connector: "staging-er7", Version: 2, Reason: &client.Reason{Code: "no-header"}}
		status = client.Errored
	}
	return client.History{
		Status: status, Ended: true, Type: sample.Type,
		Steps: []client.Step{{Zone: client.Ingestion, SHA256: m.sha256()}, outcome},
	}
}

func TestAWrongHistoryIsADifference(t *testing.T) {
	admission, text := samples.Admission(), samples.NotHL7()
	tests := []struct {
		name   string
		sample samples.Sample
		spoil  func(*client.History)
		want   string
	}{
		{"staged", admission, func(*client.History) {}, ""},
		{"filed as an error", text, func(*client.History) {}, ""},
		{"staged twice", admission, func(h *client.History) { h.Steps = append(h.Steps, h.Steps[1]) }, "its objects are"},
		{"never ingested", admission, func(h *client.History) { h.Steps = h.Steps[1:] }, "its objects are"},
		{"an error", admission, func(h *client.History) { h.Steps[1].Zone = client.Failed }, "its objects are"},
		{"text as JSON", text, func(h *client.History) { h.Steps[1].Zone = client.Staging }, "its objects are"},
		{"another type", admission, func(h *client.History) { h.Type = "ADT^A02" }, "its type is ADT^A02"},
		{"other bytes", admission, func(h *client.History) { h.Steps[0].SHA256 = "00" }, "another sha256"},
		{"no reason", text, func(h *client.History) { h.Steps[1].Reason = nil }, "no reason"},
	}
	for _, test := range tests {
		m := Message{Type: test.sample.Type, sample: test.sample, History: way(test.sample)}
		test.spoil(&m.History)
		m.checkHistory()
		told := strings.Join(m.Differences, "\n")
		if (told == "") != (test.want == "") || !strings.Contains(told, test.want) {
			t.Errorf("%s: %q", test.name, told)
		}
	}
}

func TestWrongContentIsADifference(t *testing.T) {
	sample := samples.Admission()
	m := Message{ID: "1", Type: sample.Type, Version: sample.Version, sample: sample}
	good := fmt.Sprintf(`{"root":"1","source":%q,"sha256":%q,"message":{"type":"ADT^A01","version":"2.5.1"},"segments":[{},{},{},{},{},{},{}]}`, Institution, m.sha256())
	tests := []struct {
		name, er7, json string
		want            string
	}{
		{"right", string(sample.Body), good, ""},
		{"other line ends", strings.ReplaceAll(string(sample.Body), "\r", "\n"), good, "byte for byte"},
		{"another root", string(sample.Body), strings.Replace(good, `"root":"1"`, `"root":"2"`, 1), "its JSON says"},
		{"another institution", string(sample.Body), strings.Replace(good, Institution, "other", 1), "its JSON says"},
		{"a segment is lost", string(sample.Body), strings.Replace(good, "{},", "", 1), "6 segments, not 7"},
		{"no JSON", string(sample.Body), "{", "cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				content := test.json
				if strings.HasSuffix(r.URL.Path, "/er7") {
					content = test.er7
				}
				fmt.Fprint(w, content)
			}))
			defer server.Close()
			lake, err := client.New(server.URL, client.Token("x"))
			if err != nil {
				t.Fatal(err)
			}
			p, message := play{both: lake}, m
			message.History = way(sample)
			for _, check := range []func(context.Context, *Message) error{p.checkER7, p.checkJSON} {
				if err := check(t.Context(), &message); err != nil {
					t.Fatal(err)
				}
			}
			told := strings.Join(message.Differences, "\n")
			if (told == "") != (test.want == "") || !strings.Contains(told, test.want) {
				t.Errorf("%q", told)
			}
		})
	}
}
