package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

// The exit statuses. The program's help lists them.
const (
	statusDone        = 0
	statusRefused     = 1
	statusUnusable    = 2
	statusUnreachable = 3
	statusInterrupted = 130 // the shell's status for SIGINT
)

// hintError is an error together with advice.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }

func (e *hintError) Unwrap() error { return e.err }

// usageError says that a command was called in a wrong way.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

func usage(cmd *cobra.Command, err error) error {
	return &hintError{err: &usageError{err}, hint: fmt.Sprintf("%s --help shows how it is used.", cmd.CommandPath())}
}

type argumentError struct {
	want string
	got  int
}

func (e *argumentError) Error() string {
	if e.got == 0 {
		return "missing " + e.want
	}
	return fmt.Sprintf("want %s, got %d arguments", e.want, e.got)
}

// errUnread ends a command whose results already say which files cannot be read.
var errUnread = errors.New("not every file could be read")

// errReported ends a command whose results already say what is wrong.
var errReported = errors.New("not everything went as asked")

// explain writes the error for a person and returns the exit status.
func (p *program) explain(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return statusDone
	case ctx.Err() != nil: // any other error is a consequence of the interruption
		fmt.Fprintln(p.err, "interrupted")
		return statusInterrupted
	case errors.Is(err, errReported):
		return statusRefused
	case errors.Is(err, errUnread):
		return statusUnusable
	}
	const indent = len("lake: ")
	fmt.Fprintln(p.err, p.err.Folded(p.err.Styled(term.Bad, "lake: ")+plainly(err), indent))
	if next := p.next(err); next != "" {
		p.note(strings.Repeat(" ", indent) + next)
	}
	return statusOf(err)
}

func statusOf(err error) int {
	if _, refused := errors.AsType[*client.Problem](err); refused {
		return statusRefused
	}
	for _, refusal := range []error{client.ErrUserExists, client.ErrNoUser, client.ErrTooMany, client.ErrWritesOther, client.ErrOperatesOther, client.ErrNotGranted} {
		if errors.Is(err, refusal) {
			return statusRefused
		}
	}
	if _, lost := errors.AsType[*client.UnreachableError](err); lost {
		return statusUnreachable
	}
	return statusUnusable
}

// next returns what a person can do about the error; "" if that is obvious.
func (p *program) next(err error) string {
	if hinted, ok := errors.AsType[*hintError](err); ok {
		return hinted.hint
	}
	if problem, ok := errors.AsType[*client.Problem](err); ok {
		return p.nextAfter(problem)
	}
	if unreachable, ok := errors.AsType[*client.UnreachableError](err); ok && unreachable.Refused() && !strings.HasPrefix(unreachable.URL, mllpScheme) {
		return fmt.Sprintf("Is the lake running? `%s up` starts it.", p.name)
	}
	if _, ok := errors.AsType[*client.SignInError](err); ok {
		return fmt.Sprintf("The password is read from LAKE_PASSWORD or asked for, `%s users passwd` sets a new one; LAKE_TOKEN takes an ID token instead.", p.name)
	}
	if _, ok := errors.AsType[*client.OutputError](err); ok {
		return "The file of --outputs is written by: npx cdk deploy --all -c env=dev --outputs-file FILE"
	}
	return p.nextForUser(err)
}

// nextForUser is what a person can do about the error of a change to a user.
func (p *program) nextForUser(err error) string {
	switch {
	case errors.Is(err, client.ErrUserExists):
		return fmt.Sprintf("`%s users grant` lets the user do more, `%[1]s users passwd` sets a new password.", p.name)
	case errors.Is(err, client.ErrNoUser):
		return fmt.Sprintf("`%s users list` shows who there is.", p.name)
	case errors.Is(err, client.ErrTooMany):
		return "Revoke one, or add a second user for the same person."
	case errors.Is(err, client.ErrWritesOther):
		return "Revoke that, or add a second user: the sender's user says whose a message is."
	case errors.Is(err, client.ErrOperatesOther):
		return "Revoke that, or add a second user for the same person."
	case errors.Is(err, client.ErrNotGranted):
		return fmt.Sprintf("Nothing was changed. `%s users list` shows who may do what.", p.name)
	}
	return ""
}

func (p *program) nextAfter(problem *client.Problem) string {
	switch {
	case problem.Status == http.StatusUnauthorized:
		return fmt.Sprintf("The token may have expired; `%s token` gives a new one.", p.name)
	case problem.Status == http.StatusForbidden:
		return fmt.Sprintf("A user sends for the institution in custom:write; `%s users list` shows it.", p.name)
	case problem.Code == "not-yet":
		return fmt.Sprintf("`%s trace ID --wait` waits for it.", p.name)
	case problem.Code == "gone":
		return fmt.Sprintf("`%s trace ID` shows what is known of it, and whether it was forgotten.", p.name)
	case problem.Code == "not-staged":
		return fmt.Sprintf("`%s trace ID` shows the reason, `%[1]s get ID --er7` the message.", p.name)
	default:
		return ""
	}
}

// missing reports whether a file does not exist.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
