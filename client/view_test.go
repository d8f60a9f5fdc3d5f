package client

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAViewIsAskedForByIDAndIndex(t *testing.T) {
	var asked string
	lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answering(200, `{"id":"1","type":"ADT^A01","version_known":true,"bytes":9,"segments_total":3,"from":1,"next":2,"segments":[{"index":1,"name":"PID",`+
			`"findings":[0],"fields":[{"position":1,"path":"PID-1","repetitions":[{"path":"PID-1[1]","raw":"x","findings":[0]}]}]}],`+
			`"findings":[{"segment":1,"path":"PID-1[1].1.1","rule":"bad-type","level":"lenient"}],"findings_total":1}`)(w, r)
	})
	got, err := lake.View(t.Context(), "a/b", 1)
	want := View{
		ID: "1", Type: "ADT^A01", VersionKnown: true, Bytes: 9, Total: 3, From: 1, Next: 2,
		Segments: []ViewSegment{{Index: 1, Name: "PID", Findings: []int{0}, Fields: []ViewField{{
			Position: 1, Path: "PID-1", Repetitions: []ViewNode{{Path: "PID-1[1]", Raw: "x", Findings: []int{0}}},
		}}}},
		Findings: []Finding{{Segment: new(1), Path: "PID-1[1].1.1", Rule: "bad-type", Level: "lenient"}}, FindingsTotal: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if asked != "/messages/a%2Fb/view?from=1" {
		t.Error(asked)
	}
}

func TestAValueIsAskedForByItsPlace(t *testing.T) {
	var asked []string
	lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		answering(200, "ä\\T\\")(w, r)
	})
	for _, path := range []string{"", "OBX-5[1].2"} {
		if got, err := lake.Value(t.Context(), "1", 3, path, path != ""); got != "ä\\T\\" || err != nil {
			t.Errorf("%q %v", got, err)
		}
	}
	want := []string{"/messages/1/value?segment=3", "/messages/1/value?form=text&path=OBX-5%5B1%5D.2&segment=3"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}
