package main

import (
	"context"
	"fmt"
	"strings"

	"hl7lake/client"
	"hl7lake/operate"
)

// roots returns the ids of the messages that the ids belong to. It prints a note for each
// id that is not the message's own.
func (p *program) roots(ctx context.Context, operator *operate.Operator, ids []string) ([]string, error) {
	var all []string
	for _, id := range ids {
		id = strings.TrimSpace(id)
		root, err := operator.Root(ctx, id)
		if err != nil {
			return nil, p.unworkable(err)
		}
		p.noteRoot(id, root)
		all = append(all, root)
	}
	return all, nil
}

// rootOf is roots for a user of the API.
func (p *program) rootOf(ctx context.Context, lake *client.Client, id string) error {
	if !derived(id) {
		return nil
	}
	history, err := lake.History(ctx, id)
	if err == nil {
		p.noteRoot(id, history.ID)
	}
	return err
}

// derived reports whether an id is that of what was made of a message: its version says
// so (RFC 9562, 5.8).
func derived(id string) bool { return len(id) == 36 && id[14] == '8' }

func (p *program) noteRoot(id, root string) {
	if !strings.EqualFold(id, root) {
		p.note(fmt.Sprintf("%s was made of the message\n%s", strings.ToLower(id), root))
	}
}
