package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func (p *program) forgetCommand() *cobra.Command {
	var reason string
	var dry bool
	var codes []string
	for _, code := range operate.ForgetReasons() {
		codes = append(codes, string(code))
	}
	cmd := &cobra.Command{
		Use:   "forget ID --reason CODE",
		Short: "Delete a message's content for good",
		Long: `forget deletes what was sent and what was made of it, in all versions, where
neither the lake's lock nor a legal hold forbids. The catalog keeps its record of the
message, with the time and the reason; the API then answers 410 for its content. The
sender may send the same content again, which is a new message. Nothing is deleted of
a message that is locked, held or still under way. What is deleted cannot be had back.

The reason is one of: ` + strings.Join(codes, ", ") + `.

It needs AWS credentials that may read and update the catalog, delete from the table of
what was received, list and delete versions of the lake's objects and objects of the
claim-check bucket, and read the message with its lock (s3:GetObjectVersion,
s3:GetObjectRetention, s3:GetObjectLegalHold). Copies in dead-letter queues stay there
until "lake redrive" meets them, which takes them out.
` + exitCodes,
		Example: `  lake forget ID --reason wrong-patient --dry-run
  lake forget ID --reason wrong-patient`,
		Args: exactly(1, "one message id"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			err := p.forget(cmd.Context(), arguments[0], operate.ForgetReason(reason), dry)
			if errors.Is(err, operate.ErrReason) {
				return usage(cmd, fmt.Errorf("--reason %q is not one of: %s", reason, strings.Join(codes, ", ")))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`code` of why, which the catalog keeps")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be deleted, and whether that may be")
	p.placeFlags(cmd)
	return cmd
}

func (p *program) forget(ctx context.Context, id string, reason operate.ForgetReason, dry bool) error {
	if !reason.Known() {
		return operate.ErrReason
	}
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	roots, err := p.roots(ctx, operator, []string{id})
	if err != nil {
		return err
	}
	id = roots[0]
	forgotten, err := operator.Forget(ctx, id, reason, dry)
	_, locked := errors.AsType[*operate.LockedError](err)
	if locked || errors.Is(err, operate.ErrNoMessage) || errors.Is(err, operate.ErrUnderWay) {
		return p.notForgotten(id, err)
	}
	if err != nil {
		return p.unworkable(err)
	}
	if p.json {
		return p.object(forgotten)
	}
	status, style := "forgotten", term.Good
	if dry {
		status, style = "would be", term.Note
	}
	if err := p.row(11, "%s  %s  %s  objects: %d", p.out.Styled(style, fmt.Sprintf("%-9s", status)), id, forgotten.Owner, forgotten.Objects); err != nil {
		return err
	}
	if forgotten.Done && !forgotten.Released {
		p.note("no claim on its content was left to give up")
	}
	return nil
}

// notForgotten reports a message that the lake still has.
func (p *program) notForgotten(id string, err error) error {
	if p.json {
		if err := p.object(map[string]any{"id": id, "done": false, "error": err.Error()}); err != nil {
			return err
		}
		return errReported
	}
	if err := p.row(11, "%s  %s  %s", p.out.Styled(term.Bad, "kept     "), id, err); err != nil {
		return err
	}
	return errReported
}
