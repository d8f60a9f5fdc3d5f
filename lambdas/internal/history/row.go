package history

import (
	"slices"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// Row is a message of a list: what its history says of the whole, and no content.
type Row struct {
	ID         uuid.UUID `json:"id"`
	Owner      string    `json:"owner"`
	Received   string    `json:"received"`           // hub.TimeLayout
	Protocol   string    `json:"protocol,omitempty"` // empty until the message is in the lake
	Format     string    `json:"format,omitempty"`
	Type       string    `json:"type,omitempty"` // empty until the message is in the catalog
	State      string    `json:"state"`          // one of the statuses
	Ended      bool      `json:"ended"`          // see catalog.Ended
	Reason     string    `json:"reason,omitempty"`
	Connectors []string  `json:"connectors,omitempty"` // that have filed a result or an error, by name
}

// NewRow returns what a list shows of a message, given its entries in the catalog. The
// kind is that of the message as it was sent; if it is empty, the entries say it. If there
// are no entries yet, the message is accepted, as its history says then. If it was
// forgotten, it has no state and is not listed.
func NewRow(id uuid.UUID, owner string, kind hub.Kind, entries []catalog.Entry) Row {
	m := Row{
		ID:       id,
		Owner:    owner,
		Received: hub.Received(id).Format(hub.TimeLayout),
		Protocol: kind.Protocol(),
		Format:   kind.Format(),
		State:    StatusAccepted,
	}
	if len(entries) == 0 {
		return m
	}
	if catalog.IsForgotten(entries) {
		m.State = ""
		return m
	}
	found := New(id, entries)
	m.Type, m.State, m.Ended = found.Type, found.Status, found.Ended
	if kind == "" {
		m.Protocol, m.Format = found.Protocol, found.Format
	}
	for _, step := range found.Steps {
		if step.Connector != "" {
			m.Connectors = append(m.Connectors, step.Connector)
		}
		if step.Reason != nil && found.Status == StatusError {
			m.Reason = step.Reason.Code
		}
	}
	slices.Sort(m.Connectors)
	m.Connectors = slices.Compact(m.Connectors)
	return m
}
