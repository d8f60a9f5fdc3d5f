package client

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a lake whose list changes while it is followed: a message is listed from some
// time after its acceptance on, and ends later.
type shelf struct {
	begin    time.Time
	messages []shelved
	asked    []time.Time // what each list began with
}

type shelved struct {
	id                      string
	received, listed, ended time.Duration // since begin
}

// RoundTrip answers GET /messages.
func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	from, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("from")) // the zero time if there is none
	s.asked = append(s.asked, from)
	page := Page{Messages: []Listed{}}
	now := time.Since(s.begin)
	for _, m := range slices.Backward(s.messages) {
		at := s.begin.Add(m.received)
		if now >= m.listed && !at.Before(from) {
			page.Messages = append(page.Messages, Listed{ID: m.id, Received: at, Ended: now >= m.ended})
		}
	}
	body, err := json.Marshal(page)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, err
}

func TestFollowYieldsEachMessageOnceAsItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{begin: time.Now(), messages: []shelved{
			{"too old", -3 * time.Hour, 0, 0}, {"old", -2 * time.Hour, 0, 0}, {"before", -time.Second, 0, 0},
			{"at once", time.Second, time.Second, time.Second},
			{"listed late", 2 * time.Second, 8 * time.Second, 8 * time.Second},
			{"ends never", 3 * time.Second, 3 * time.Second, time.Hour},
			{"ends late", 4 * time.Second, 4 * time.Second, 6 * time.Second},
			{"much later", 20 * time.Minute, 20 * time.Minute, 20 * time.Minute},
		}}
		lake, err := New("http://lake.invalid", Token("x"))
		if err != nil {
			t.Fatal(err)
		}
		lake.http.Transport = s
		var got []string
		for message, err := range lake.Follow(t.Context(), Filter{}, 2) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, message.ID); message.ID == "much later" {
				break
			}
		}
		if got, want := strings.Join(got, ", "), "old, before, at once, ends late, listed late, ends never, much later"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if n := len(s.asked); n < 20*60/4 || n > 20*60/4+40 {
			t.Errorf("asked %d times in 20 minutes", n)
		}
		if back := time.Since(s.asked[len(s.asked)-1]); back > followAhead+followLongest {
			t.Errorf("the last list began %v ago", back)
		}
	})
}
