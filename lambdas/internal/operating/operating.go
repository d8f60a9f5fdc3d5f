// Package operating is what the functions have in common with which people operate on
// messages: whom they refuse, which ids they take, and how they record what was done.
package operating

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/problem"
)

// What is answered in place of an outcome.
var (
	// ErrNoPrivilege is for a caller who operates for no institution.
	ErrNoPrivilege = &problem.Problem{Status: http.StatusForbidden, Code: "no-operate-privilege", Detail: "Insufficient privileges to operate"}
	// ErrNotFound is for another institution's message, an unknown id, and what is no id
	// of a message.
	ErrNotFound = &problem.Problem{Status: http.StatusNotFound, Code: "not-found", Detail: "The lake has no such message, or it is not yours to operate on."}
)

// MessageID returns an id in its usual form. It must be that of a message, which is a
// UUIDv7, and not of something that was made of one. Otherwise the error is ErrNotFound.
func MessageID(text string) (string, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.Version() != 7 {
		return "", ErrNotFound
	}
	return id.String(), nil
}

// Record writes the audit record of what a caller did, how it ended, and further
// attributes.
func Record(ctx context.Context, logger *slog.Logger, action, outcome string, by caller.Caller, members ...any) {
	audit.Record(ctx, logger, action, outcome, append([]any{"who", by.Subject, "operates", by.Operate}, members...)...)
}
