package main

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// history is the body of GET /messages/{id}.
type history struct {
	ID       uuid.UUID `json:"id"`
	Status   string    `json:"status"` // one of the statuses below
	Ended    bool      `json:"ended"`  // see catalog.Ended
	Owner    string    `json:"owner"`
	Protocol string    `json:"protocol,omitempty"` // of the message as it was sent; empty until that is filed
	Format   string    `json:"format,omitempty"`
	Type     string    `json:"type,omitempty"`
	Charset  string    `json:"charset,omitempty"`
	Received string    `json:"received"` // hub.TimeLayout
	History  []step    `json:"history"`  // oldest first; empty while accepted

	entries []catalog.Entry // what the steps show, in the same order
	asked   uuid.UUID       // the id that was asked for: ID, or that of one of the entries
}

// own is the connector's result whose id was asked for, false where another id was.
func (h history) own(connector string) (catalog.Entry, bool) {
	i := slices.IndexFunc(h.entries, func(e catalog.Entry) bool {
		return e.Zone == catalog.Staging && e.ID == h.asked.String() && e.By().Name == connector
	})
	if i < 0 {
		return catalog.Entry{}, false
	}
	return h.entries[i], true
}

// The statuses of a message. A message that was ever staged stays staged, whatever
// happened to a later attempt.
const (
	statusAccepted = "accepted" // accepted, and not in the lake yet
	statusIngested = "ingested" // in the lake, and not JSON yet
	statusStaged   = "staged"   // its JSON is in the lake
	statusError    = "error"    // it has no JSON; the history says why
	// statusMissing is a state of lists only: accepted, found late by reconcile, and not
	// in the lake. The history of such a message says accepted.
	statusMissing = "missing"
)

// step is one object of the lake.
type step struct {
	Zone      catalog.Zone `json:"zone"`
	ID        string       `json:"id"`
	Parent    string       `json:"parent,omitempty"`
	Bucket    string       `json:"bucket"`
	Key       string       `json:"key"`
	VersionID string       `json:"version_id,omitempty"`
	SHA256    string       `json:"sha256,omitempty"` // absent for who may not read the message
	Size      int64        `json:"size"`
	Protocol  string       `json:"protocol"`
	Format    string       `json:"format"`
	Connector string       `json:"connector,omitempty"` // that made it; absent from the message itself
	Version   int          `json:"version,omitempty"`   // the connector's
	ReadIn    string       `json:"read_in,omitempty"`   // the charset that an operator chose
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

// acceptedHistory returns the history of a message that the catalog does not know yet.
func acceptedHistory(id uuid.UUID, owner string) history {
	return history{
		ID:       id,
		Status:   statusAccepted,
		Owner:    owner,
		Received: hub.Received(id).Format(hub.TimeLayout),
		History:  []step{},
	}
}

// newHistory returns what the catalog's entries of one message say; there is at least
// one.
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
	if raw, ok := found.raw(); ok {
		found.Protocol, found.Format = raw.Kind().Protocol(), raw.Kind().Format()
	}
	found.Status, found.Ended = found.status(), catalog.Ended(entries)
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
		Protocol:  entry.Kind().Protocol(),
		Format:    entry.Kind().Format(),
		Connector: entry.By().Name,
		Version:   entry.By().Version,
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

// hideHashes removes the hashes of contents from the steps.
func (h history) hideHashes() {
	for i := range h.History {
		h.History[i].SHA256 = ""
	}
}

// For ER7, status comes from the results of StagingER7. For other kinds it comes from the
// results of all connectors.
func (h history) status() string {
	has := func(zone catalog.Zone) bool {
		_, ok := catalog.Result(h.entries, contract.ConnectorER7, zone)
		return ok || h.Format != "" && hub.KindOf(h.Protocol, h.Format) != hub.ER7 &&
			slices.ContainsFunc(h.entries, func(e catalog.Entry) bool { return e.Zone == zone })
	}
	switch {
	case has(catalog.Staging):
		return statusStaged
	case has(catalog.Failed):
		return statusError
	default:
		return statusIngested
	}
}

// raw returns the entry of the message as it was sent. It may come after that of its
// JSON, because the hub does not promise an order.
func (h history) raw() (catalog.Entry, bool) {
	i := slices.IndexFunc(h.entries, func(e catalog.Entry) bool { return e.Zone == catalog.Ingestion })
	if i < 0 {
		return catalog.Entry{}, false
	}
	return h.entries[i], true
}

// rank orders what was written within one millisecond: the message before what was made
// of it.
func rank(zone catalog.Zone) int {
	if zone == catalog.Ingestion {
		return 0
	}
	return 1
}
