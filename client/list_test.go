package client

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAPageIsAskedForByItsFilterAndCursor(t *testing.T) {
	var asked string
	lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answering(200, `{"messages":[{"id":"1","owner":"st-elsewhere","received":"2026-11-22T20:32:42.448Z","protocol":"hl7v2","format":"er7",`+
			`"type":"ADT^A01","state":"error","ended":true,"reason":"no-header","connectors":["staging-er7"]}],"cursor":"next","other_protocols":true}`)(w, r)
	})
	at := time.Date(2026, 11, 22, 20, 32, 42, 448e6, time.UTC)
	got, err := lake.Page(t.Context(), Filter{
		Owner: "st-elsewhere", Protocol: "hl7v2", Type: "ADT^A01", State: Errored, Connector: "staging-er7", From: at, To: at.Add(time.Hour),
	}, 7, "here")
	want := Page{
		Messages: []Listed{{
			ID: "1", Owner: "st-elsewhere", Received: at, Protocol: "hl7v2", Format: "er7", Type: "ADT^A01", State: Errored, Ended: true,
			Reason: "no-header", Connectors: []string{"staging-er7"},
		}},
		Cursor: "next", OtherProtocols: true,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	const address = "/messages?connector=staging-er7&cursor=here&from=2026-11-22T20%3A32%3A42.448Z&limit=7&owner=st-elsewhere&protocol=hl7v2&state=error" +
		"&to=2026-11-22T21%3A32%3A42.448Z&type=ADT%5EA01"
	if diff := cmp.Diff(address, asked); diff != "" {
		t.Error(diff)
	}
}

func TestAListIsReadToItsEndOrAsFarAsIsWanted(t *testing.T) {
	pages := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			answering(200, `{"messages":[{"id":"3"},{"id":"2"}],"cursor":"a"}`)(w, r)
		case "a":
			answering(200, `{"messages":[],"cursor":"b"}`)(w, r)
		default:
			answering(200, `{"messages":[{"id":"1"}]}`)(w, r)
		}
	}
	for most, requests := range map[int]int{1: 1, 2: 1, 3: 3, 4: 3} {
		lake, made := answers(t, pages)
		var got []string
		for message, err := range lake.List(t.Context(), Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, message.ID); len(got) == most {
				break
			}
		}
		if want := []string{"3", "2", "1"}[:min(most, 3)]; !slices.Equal(got, want) || *made != requests {
			t.Errorf("at most %d: %v with %d requests", most, got, *made)
		}
	}
}

func TestAListThatIsRefusedEndsWithTheProblem(t *testing.T) {
	lake, _ := answers(t, answering(200, `{"messages":[{"id":"1"}],"cursor":"a"}`), answering(404, `{"code":"not-found","detail":"None."}`))
	var seen []string
	for message, err := range lake.List(t.Context(), Filter{}) {
		problem, refused := errors.AsType[*Problem](err)
		seen = append(seen, fmt.Sprint(message.ID, refused && problem.Status == 404))
	}
	if got := strings.Join(seen, " "); got != "1false true" {
		t.Error(got)
	}
}
