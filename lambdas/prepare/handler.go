package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

type handler struct {
	logger     *slog.Logger
	claimCheck hub.ClaimCheck
}

// prepare is the input of the next state: the same event, its body normalised
// and the hash of what the sender posted beside it.
func (h handler) prepare(ctx context.Context, in hub.Wire) (hub.Wire, error) {
	event, err := h.claimCheck.Open(ctx, in)
	if err != nil {
		return hub.Wire{}, err
	}
	sum := sha256.Sum256(event.Body)
	event.Raw = hex.EncodeToString(sum[:])
	event.Body = hl7.Normalize(nil, event.Body)
	out, err := h.claimCheck.Pack(ctx, event, "prepare")
	if err != nil {
		return hub.Wire{}, err
	}
	h.logger.InfoContext(ctx, "prepared", "id", event.ID, "root", event.Root, "size", len(event.Body))
	return out, nil
}
