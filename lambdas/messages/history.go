package main

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// history is the body of GET /messages/{id}.
type history struct {
	ID       uuid.UUID `json:"id"`
	Status   string    `json:"status"` // one of the statuses below
	Owner    string    `json:"owner"`
	Type     string    `json:"type,omitempty"`
	Charset  string    `json:"charset,omitempty"`
	Received string    `json:"received"` // hub.TimeLayout
	History  []step    `json:"history"`  // oldest first; empty while accepted

	entries []catalog.Entry // what the steps show, in the same order
}

// The statuses of a message. A message that was ever staged stays staged,
// whatever a later attempt met.
const (
	statusAccepted = "accepted" // on its way to the lake
	statusIngested = "ingested" // in the lake, on its way to its JSON
	statusStaged   = "staged"   // its JSON is in the lake
	statusError    = "error"    // it has no JSON; the history says why
)

// step is one object of the lake.
type step struct {
	Zone      catalog.Zone `json:"zone"`
	ID        string       `json:"id"`
	Parent    string       `json:"parent,omitempty"`
	Bucket    string       `json:"bucket"`
	Key       string       `json:"key"`
	VersionID string       `json:"version_id,omitempty"`
	SHA256    string       `json:"sha256"`
	Size      int64        `json:"size"`
	Parser    string       `json:"parser,omitempty"`
	ReadIn    string       `json:"read_in,omitempty"` // the charset that an operator decided on
	Written   string       `json:"written"`
	Attempts  int          `json:"attempts"`
	Reason    *reason      `json:"reason,omitempty"`

	Forgotten       string `json:"forgotten,omitempty"` // when its content was deleted on purpose
	ForgottenReason string `json:"forgotten_reason,omitempty"`
}

type reason struct {
	Code    string `json:"code"`
	Segment int    `json:"segment,omitempty"`
	Path    string `json:"path,omitempty"`
	Offset  int    `json:"offset"`
}

// acceptedHistory is that of a message which the catalog does not know yet.
func acceptedHistory(id uuid.UUID, owner string) history {
	return history{
		ID:       id,
		Status:   statusAccepted,
		Owner:    owner,
		Received: hub.Received(id).Format(hub.TimeLayout),
		History:  []step{},
	}
}

// newHistory tells what the catalog's entries of one message say; there is at
// least one.
func newHistory(id uuid.UUID, entries []catalog.Entry) history {
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b catalog.Entry) int {
		return cmp.Or(cmp.Compare(a.Written, b.Written), cmp.Compare(rank(a.Zone), rank(b.Zone)))
	})
	found := history{
		ID:       id,
		Owner:    entries[0].Owner,
		Type:     entries[0].Type,
		Charset:  entries[0].Charset,
		Received: hub.Received(id).Format(hub.TimeLayout),
		entries:  entries,
	}
	for _, entry := range entries {
		found.History = append(found.History, newStep(entry))
	}
	found.Status = found.status()
	return found
}

func newStep(entry catalog.Entry) step {
	s := step{
		Zone:      entry.Zone,
		ID:        entry.ID,
		Parent:    entry.Parent,
		Bucket:    entry.Bucket,
		Key:       entry.Key,
		VersionID: entry.VersionID,
		SHA256:    entry.SHA256,
		Size:      entry.Size,
		Parser:    entry.Parser,
		ReadIn:    entry.ReadIn,
		Written:   entry.Written,
		Attempts:  entry.Attempts,

		Forgotten:       entry.Forgotten,
		ForgottenReason: entry.ForgottenReason,
	}
	if entry.Zone == catalog.Failed {
		s.Reason = &reason{Code: entry.ReasonCode, Segment: entry.ReasonSegment, Path: entry.ReasonPath}
		if entry.ReasonOffset != nil {
			s.Reason.Offset = *entry.ReasonOffset
		}
	}
	return s
}

func (h history) status() string {
	if _, ok := h.json(); ok {
		return statusStaged
	}
	if _, ok := h.latest(catalog.Failed); ok {
		return statusError
	}
	return statusIngested
}

// raw is the entry of the message as it was sent. It may come after that of its
// JSON, since the hub promises no order.
func (h history) raw() (catalog.Entry, bool) { return h.latest(catalog.Ingestion) }

// forgotten reports whether the message was forgotten. What is filed of it later is not
// given back either.
func (h history) forgotten() bool { return catalog.IsForgotten(h.entries) }

// json is the entry of the latest parser's JSON.
func (h history) json() (catalog.Entry, bool) { return h.latest(catalog.Staging) }

// latest is the zone's entry with the highest parser version, of several the last that
// was written: an operator may have had the message read in another charset.
func (h history) latest(zone catalog.Zone) (latest catalog.Entry, ok bool) {
	for _, entry := range h.entries {
		if entry.Zone == zone && (!ok || version(entry) >= version(latest)) {
			latest, ok = entry, true
		}
	}
	return latest, ok
}

// version is the number of the parser that made an entry, 0 for none.
func version(entry catalog.Entry) int {
	n, err := strconv.Atoi(entry.Parser)
	if err != nil {
		return 0
	}
	return n
}

// rank orders what was written within one millisecond: the message before what
// was made of it.
func rank(zone catalog.Zone) int {
	if zone == catalog.Ingestion {
		return 0
	}
	return 1
}
