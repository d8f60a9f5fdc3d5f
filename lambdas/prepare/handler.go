package main

import (
	"context"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

type handler struct {
	claimCheck hub.ClaimCheck
}

// prepare returns the input of the next state: the same event, with its body normalized
// and the hash of what the sender posted.
func (h handler) prepare(ctx context.Context, in hub.Wire) (hub.Wire, error) {
	event, err := h.claimCheck.Open(ctx, in)
	if err != nil {
		return hub.Wire{}, err
	}
	event.Raw = event.BodyHash()
	event.Body = hl7.Normalize(nil, event.Body)
	return h.claimCheck.Pack(ctx, event, "prepare")
}
