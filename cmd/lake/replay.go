package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
	"hl7lake/operate"
)

func (p *program) replayCommand() *cobra.Command {
	var selection operate.Selection
	var from, to string
	var dry bool
	cmd := &cobra.Command{
		Use:   "replay ID…",
		Short: "Have stored messages parsed again",
		Long: `replay publishes messages as they were sent, from the lake, on the hub again:
those of the ids, or those of an institution, or all of which a connector could
make nothing. Every connector gets them, one that was added since for the first
time. The results of a new version of a connector are stored beside the old ones,
never over them, and are what the lake then shows. The same version makes the same
results with the same ids: then nothing changes but a count of attempts. With
--charset they are read in that character set, whatever they declare; the result
stands beside the others, is what the lake then shows, and the catalog tells of it.

It needs AWS credentials that may read the lake and its catalog and publish on the
hub. Times are RFC 3339 or days, as 2026-11-22, in UTC; --to is not included.
` + exitCodes,
		Example: `  lake replay 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake replay --errors --dry-run
  lake replay --charset windows-1250 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake replay --owner st-elsewhere --type ADT^A01 --from 2026-11-01`,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if len(arguments) > 0 {
				selection.IDs = arguments
			}
			if err := check(cmd, &selection, from, to); err != nil {
				return usage(cmd, err)
			}
			return p.replay(cmd.Context(), selection, dry)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&selection.Owner, "owner", "", "messages of this `institution`")
	flags.StringVar(&selection.Type, "type", "", "only of this `type`, as ADT^A01")
	flags.StringVar(&from, "from", "", "only accepted at or after this `time`")
	flags.StringVar(&to, "to", "", "only accepted before this `time`")
	flags.BoolVar(&selection.Errors, "errors", false, "only messages of which a connector could make nothing; without --owner, of all institutions")
	flags.StringVar(&selection.Charset, "charset", "", "read them in this character `set`, whatever they declare")
	flags.BoolVar(&dry, "dry-run", false, "show what would be replayed")
	p.placeFlags(cmd)
	return cmd
}

// check completes the selection, and refuses one that is empty or contradicts itself.
func check(cmd *cobra.Command, selection *operate.Selection, from, to string) (err error) {
	chosen := false
	for _, name := range []string{"owner", "type", "from", "to", "errors"} {
		chosen = chosen || cmd.Flags().Changed(name)
	}
	switch {
	case selection.IDs != nil && chosen:
		return errors.New("ids cannot be combined with a choice of messages")
	case selection.IDs == nil && selection.Owner == "" && !selection.Errors:
		return errors.New("say which messages: ids, --owner or --errors")
	}
	if given := selection.Charset; given != "" {
		var ok bool
		if selection.Charset, ok = hl7.LookupCharset(given); !ok {
			return fmt.Errorf("%q is not a known character set: want a name such as iso-8859-2, windows-1250 or utf-8", given)
		}
	}
	if selection.From, err = parseTime(from); err != nil {
		return err
	}
	if selection.To, err = parseTime(to); err != nil {
		return err
	}
	if !selection.To.IsZero() && !selection.From.Before(selection.To) {
		return errors.New("--from is not before --to")
	}
	return nil
}

// parseTime reads a time or a day; an empty text is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is not a time: want one such as 2026-11-22 or 2026-11-22T08:00:00Z", text)
	}
	return at, nil
}

func (p *program) replay(ctx context.Context, selection operate.Selection, dry bool) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	if selection.IDs != nil {
		if selection.IDs, err = p.roots(ctx, operator, selection.IDs); err != nil {
			return err
		}
	}
	var published, failed, known int
	var failure error
	err = operator.Replay(ctx, selection, dry, func(message operate.Replayed) {
		if message.Err != nil {
			failed++
		} else {
			published++
		}
		if len(message.Results) > 0 {
			known++
		}
		if failure == nil {
			failure = p.reportReplayed(message, dry)
		}
	})
	switch {
	case err != nil:
		return p.unworkable(err)
	case failure != nil:
		return failure
	}
	p.noteReplayed(published, failed, known, dry)
	if failed > 0 {
		return errReported
	}
	return nil
}

// noteReplayed counts, and says what to expect where connectors may be the same.
func (p *program) noteReplayed(published, failed, known int, dry bool) {
	what := "published again"
	if dry {
		what = "would be published again"
	}
	p.note(fmt.Sprintf("%s: %d, failed: %d", what, published, failed))
	if known > 0 {
		p.note(fmt.Sprintf("with results already: %d. A connector of the same version makes the same ones again, under the same "+
			"ids: then nothing changes but the count of attempts.", known))
	}
}

// resultsText lists what connectors made of a message, as "staging-er7/2, patients/1
// (failed)".
func resultsText(results []operate.Result) string {
	var texts []string
	for _, r := range results {
		text := r.String()
		if r.Failed {
			text += " (failed)"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func (p *program) reportReplayed(message operate.Replayed, dry bool) error {
	if p.json {
		return p.object(struct {
			operate.Replayed
			Error string `json:"error,omitempty"`
		}{message, errorText(message.Err)})
	}
	status, style := "published", term.Good
	switch {
	case message.Err != nil:
		status, style = "failed", term.Bad
	case dry:
		status, style = "would be", term.Note
	}
	had := "no result yet"
	switch {
	case message.Err != nil:
		had = told(message.Err)
	case len(message.Results) > 0:
		had = "had " + resultsText(message.Results)
	}
	return p.row(11, "%s  %-36s  %-7s  %s  %s", p.out.Styled(style, fmt.Sprintf("%-9s", status)), message.ID, orDash(message.Type), orDash(message.Owner), had)
}
