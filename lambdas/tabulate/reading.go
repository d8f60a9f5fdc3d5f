package main

import (
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/tables"
)

// messageOf returns what the tables are made of. A message is read in the character set of
// its JSON: the one that an operator chose when it was staged last, if any, or else the
// one that its sender declared beside it or in it.
func messageOf(id uuid.UUID, r sent.Reading) tables.Message {
	declared, readIn := r.Charsets()
	return tables.Message{Root: id.String(), Received: hub.Received(id), Body: r.Body, Charset: declared, ReadIn: readIn}
}
