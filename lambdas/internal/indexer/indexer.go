// Package indexer enters messages in the table of the connector Finder: those that the hub
// delivers, and those that are read from the lake again.
package indexer

import (
	"context"
	"log/slog"

	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/contract"
	"hl7lake/internal/finder"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/telemetry"
)

// Message is an ER7 message as it was sent.
type Message struct {
	Root    uuid.UUID
	Owner   string
	Charset string // that its sender declared beside it, if any
	ReadIn  string // that an operator chose, if any
	Body    []byte
}

// Indexer enters messages. It is safe for concurrent use.
type Indexer struct {
	Logger  *slog.Logger
	Metrics telemetry.Metrics
	Table   finder.Table
	Keys    *derive.Deriver // of the newest key
	Places  []finder.Place
}

// Entries returns what the table is to hold of a message. A message that cannot be parsed
// has no entries. StagingER7 tells of it.
func (x Indexer) Entries(ctx context.Context, m Message) ([]finder.Entry, error) {
	var message hl7.Message
	if message.ParseChosen(m.ReadIn, m.Charset, m.Body) != nil {
		return nil, nil
	}
	identifiers, left := finder.Identifiers(&message, x.Places)
	if left > 0 {
		x.Logger.WarnContext(ctx, "identifiers left out", "root", m.Root, "left", left,
			x.Metrics.Count(contract.MetricNotIndexed, slog.String("owner", m.Owner)))
	}
	key, err := x.Keys.Key(ctx, finder.Label(m.Owner))
	if err != nil {
		return nil, err
	}
	return finder.Key(key).Entries(identifiers), nil
}
