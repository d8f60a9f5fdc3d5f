package client

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFeedsAreRead(t *testing.T) {
	var asked string
	lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answering(200, `{"now":"2026-11-22T12:15:00.000Z","feeds":[{"owner":"a","last":"2026-11-22T11:00:00.000Z","hours":[{"from":"2026-11-22T12:00:00.000Z","count":7,"about":true}],`+
			`"usual":{"per_hour":1.5,"days":2},"silent_minutes":75,"silent":true},{"owner":"b","hours":[],"silent_minutes":0,"silent":false}]}`)(w, r)
	})
	got, err := lake.Feeds(t.Context())
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	want := Feeds{Now: noon.Add(15 * time.Minute), Feeds: []Feed{
		{Owner: "a", Last: noon.Add(-time.Hour), Hours: []Hour{{noon, 7, true}}, Usual: &Usual{PerHour: 1.5, Days: 2}, SilentMinutes: 75, Silent: true},
		{Owner: "b", Hours: []Hour{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || asked != "/feeds" {
		t.Errorf("%s %v %s", asked, err, diff)
	}
}
