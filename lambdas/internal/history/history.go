// Package history says what the catalog's entries of a message mean for a reader: its
// history, its status, and the row that a list shows of it.
package history

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// History is the body of GET /messages/{id}.
type History struct {
	ID       uuid.UUID `json:"id"`
	Status   string    `json:"status"` // one of the statuses below
	Ended    bool      `json:"ended"`  // see catalog.Ended
	Owner    string    `json:"owner"`
	Protocol string    `json:"protocol,omitempty"` // of the message as it was sent; empty until that is filed
	Format   string    `json:"format,omitempty"`
	Type     string    `json:"type,omitempty"`
	Charset  string    `json:"charset,omitempty"`
	Received string    `json:"received"` // hub.TimeLayout
	Steps    []Step    `json:"history"`  // oldest first; empty while accepted

	Entries []catalog.Entry `json:"-"` // what the steps show, in the same order
}

// Own returns the connector's result that has the id. It reports false if the id is of
// something else.
func (h History) Own(id uuid.UUID, connector string) (catalog.Entry, bool) {
	i := slices.IndexFunc(h.Entries, func(e catalog.Entry) bool {
		return e.Zone == catalog.Staging && e.ID == id.String() && e.By().Name == connector
	})
	if i < 0 {
		return catalog.Entry{}, false
	}
	return h.Entries[i], true
}

// The statuses of a message. A message that was ever staged stays staged, whatever
// happened to a later attempt.
const (
	StatusAccepted = "accepted" // accepted, and not in the lake yet
	StatusIngested = "ingested" // in the lake, and not JSON yet
	StatusStaged   = "staged"   // its JSON is in the lake
	StatusError    = "error"    // it has no JSON; the history says why
	// StatusMissing is a state of lists only: accepted, found late by reconcile, and not
	// in the lake. The history of such a message says accepted.
	StatusMissing = "missing"
)

// Step is one object of the lake.
type Step struct {
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
	Reason    *Reason      `json:"reason,omitempty"`

	Forgotten       string `json:"forgotten,omitempty"` // when its content was deleted on purpose
	ForgottenReason string `json:"forgotten_reason,omitempty"`
}

// Reason says why a connector could not process a message, and where.
type Reason struct {
	Code    string `json:"code"`
	Segment int    `json:"segment,omitempty"`
	Path    string `json:"path,omitempty"`
	Offset  int    `json:"offset"`
}

// Accepted returns the history of a message that the catalog does not know yet.
func Accepted(id uuid.UUID, owner string) History {
	return History{
		ID:       id,
		Status:   StatusAccepted,
		Owner:    owner,
		Received: hub.Received(id).Format(hub.TimeLayout),
		Steps:    []Step{},
	}
}

// New returns what the catalog's entries of one message say. There must be at least one.
func New(id uuid.UUID, entries []catalog.Entry) History {
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b catalog.Entry) int {
		return cmp.Or(cmp.Compare(a.Written, b.Written), cmp.Compare(rank(a.Zone), rank(b.Zone)))
	})
	found := History{
		ID:       id,
		Owner:    entries[0].Owner,
		Type:     entries[0].Type,
		Charset:  entries[0].Charset,
		Received: hub.Received(id).Format(hub.TimeLayout),
		Entries:  entries,
	}
	for _, entry := range entries {
		found.Steps = append(found.Steps, newStep(entry))
	}
	if raw, ok := found.Raw(); ok {
		found.Protocol, found.Format = raw.Kind().Protocol(), raw.Kind().Format()
	}
	found.Status, found.Ended = found.status(), catalog.Ended(entries)
	return found
}

func newStep(entry catalog.Entry) Step {
	s := Step{
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
		s.Reason = &Reason{Code: entry.ReasonCode, Segment: entry.ReasonSegment, Path: entry.ReasonPath}
		if entry.ReasonOffset != nil {
			s.Reason.Offset = *entry.ReasonOffset
		}
	}
	return s
}

// HideHashes removes the hashes of contents from the steps, for who may see that there is
// a message, and not read it.
func (h History) HideHashes() {
	for i := range h.Steps {
		h.Steps[i].SHA256 = ""
	}
}

// For ER7, status comes from the results of StagingER7. For other kinds it comes from the
// results of all connectors.
func (h History) status() string {
	has := func(zone catalog.Zone) bool {
		_, ok := catalog.Result(h.Entries, contract.ConnectorER7, zone)
		return ok || h.Format != "" && hub.KindOf(h.Protocol, h.Format) != hub.ER7 &&
			slices.ContainsFunc(h.Entries, func(e catalog.Entry) bool { return e.Zone == zone })
	}
	switch {
	case has(catalog.Staging):
		return StatusStaged
	case has(catalog.Failed):
		return StatusError
	default:
		return StatusIngested
	}
}

// Raw returns the entry of the message as it was sent, if the catalog has it. It may come
// after that of its JSON, because the hub does not promise an order.
func (h History) Raw() (catalog.Entry, bool) {
	i := slices.IndexFunc(h.Entries, func(e catalog.Entry) bool { return e.Zone == catalog.Ingestion })
	if i < 0 {
		return catalog.Entry{}, false
	}
	return h.Entries[i], true
}

// rank orders what was written within one millisecond: the message before what was made
// of it.
func rank(zone catalog.Zone) int {
	if zone == catalog.Ingestion {
		return 0
	}
	return 1
}
