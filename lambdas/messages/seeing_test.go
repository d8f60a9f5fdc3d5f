package main

// This file is about callers who operate for an institution: they see its messages, and
// read none.

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
)

// operates are the claims of a user who operates for of and reads the messages of reads.
func operates(of, reads string) map[string]string {
	return map[string]string{"sub": "user-1", "token_use": "id", "custom:operate": of, "custom:read": reads}
}

func TestWhoOperatesGetsTheHistoryWithoutHashesAndNoContent(t *testing.T) {
	r := newReadSide(t)
	raw := r.file(t, ingested("MSH|^~\\&|"), 1)
	failed := r.file(t, refused(hub.Reason{Code: "bad-delimiters", Segment: 1, Path: "MSH-2"}), 2)
	json := r.file(t, by(staged("{}"), "patients", 1), 3)
	accepted := r.announce(t)
	none := r.get(t, "/messages/"+root.String(), "")
	id := root.String()
	for _, path := range []string{id, failed.ID, json.ID} {
		full := r.get(t, "/messages/"+path, owner).Body
		got := r.getAs(t, "/messages/"+path, operates(owner, ""))
		for _, entry := range []string{raw.SHA256, failed.SHA256, json.SHA256} {
			full = strings.Replace(full, `"sha256":"`+entry+`",`, "", 1)
		}
		if got.StatusCode != 200 || got.Body != full {
			t.Errorf("%s: %d %s\nwant %s", path, got.StatusCode, got.Body, full)
		}
		for _, part := range []string{"/er7", "/json", "/content", "/content/patients"} {
			if got := r.getAs(t, "/messages/"+path+part, operates(owner, "")); got.StatusCode != 404 || got.Body != none.Body {
				t.Errorf("%s%s: %d %s", path, part, got.StatusCode, got.Body)
			}
		}
		for _, others := range []map[string]string{operates("another", ""), operates("", "another")} {
			if got := r.getAs(t, "/messages/"+path, others); got.StatusCode != 404 || got.Body != none.Body {
				t.Errorf("%s for %v: %d %s", path, others, got.StatusCode, got.Body)
			}
		}
		if got := r.getAs(t, "/messages/"+path, operates(owner, owner)); !strings.Contains(got.Body, raw.SHA256) {
			t.Errorf("%s: who reads too is not told the hash: %s", path, got.Body)
		}
	}
	if got := r.getAs(t, "/messages/"+accepted.String(), operates(owner, "")); got.StatusCode != 200 {
		t.Errorf("accepted: %d %s", got.StatusCode, got.Body)
	}
}

func TestWhoOperatesListsTheMessagesOfTheInstitution(t *testing.T) {
	l := newListSide(t)
	ours, theirs, others := l.message(owner, start), l.message("lakeside", start.Add(time.Millisecond)), l.message("elsewhere", start)
	for _, message := range []hub.Event{ours, theirs, others} {
		l.file(t, message)
	}
	ids := func(parameters string, claims map[string]string) (ids []uuid.UUID) {
		var got page
		if err := json.Unmarshal([]byte(l.askAs(t, parameters, claims).Body), &got); err != nil {
			t.Fatal(err)
		}
		for _, message := range got.Messages {
			ids = append(ids, message.ID)
		}
		return ids
	}
	for _, test := range []struct {
		parameters string
		claims     map[string]string
		want       []uuid.UUID
	}{
		{"", operates(owner, ""), []uuid.UUID{ours.ID}},
		{"owner=" + owner, operates(owner, "lakeside"), []uuid.UUID{ours.ID}},
		{"", operates(owner, owner), []uuid.UUID{ours.ID}},
		{"", operates(owner, "lakeside"), []uuid.UUID{theirs.ID, ours.ID}},
		{"owner=elsewhere", operates(owner, "lakeside"), nil},
	} {
		if got := ids(test.parameters, test.claims); !slices.Equal(got, test.want) {
			t.Errorf("%q for %v: %v, want %v", test.parameters, test.claims, got, test.want)
		}
	}
	if lines := fake.Lines(t, l.log.String(), "audit", "operates", "listed"); len(lines) != 5 || lines[0]["operates"] != owner {
		t.Errorf("recorded as %v", lines)
	}
}
