package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
)

type sendOptions struct {
	charset  string
	parallel int
	split    bool
}

func (l *lake) sendCommand() *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send FILE|FOLDER|-…",
		Short: "Post messages",
		Long: `send posts each file as one message, byte for byte; - is standard input, a
folder stands for the files in it. A batch is several messages: --split takes it
apart, as one message the lake would keep it but find no JSON. What is in no message
is skipped, and told with its place. A message is not sent where it is not certain
that it is whole: the header behind it cannot be read, or its MLLP frame has no end.

A line a message tells what the lake answered:
201 accepted, 409 a duplicate (with the id of the first one), or why it was refused.
A lake that is busy (503) is asked again after the time that it names, up to six
times; sending the same again is harmless, since the lake knows a message by its
content.

The exit status is 0 when every message is in the lake, accepted now or before, and
nothing of a file was skipped.
` + exitCodes,
		Example: `  lake send adt-a01.hl7
  lake send --charset iso-8859-1 export/
  lake send --split --parallel 16 night-batch.hl7
  printf 'MSH|^~\\&|APP\r' | lake send -`,
		Args: atLeastOne("a file to send"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if o.parallel < 1 {
				return usage(cmd, fmt.Errorf("--parallel %d: want 1 or more", o.parallel))
			}
			lake, err := l.client()
			if err != nil {
				return err
			}
			return l.send(cmd.Context(), lake, l.read(arguments, o.split), o)
		},
	}
	cmd.Flags().StringVar(&o.charset, "charset", "", "declare this `charset`, as utf-8 or iso-8859-1")
	cmd.Flags().IntVarP(&o.parallel, "parallel", "p", 4, "requests in flight")
	cmd.Flags().BoolVar(&o.split, "split", false, "take files of several messages apart (batches, MLLP captures)")
	l.userFlags(cmd)
	return cmd
}

// outgoing is one message on its way out.
type outgoing struct {
	name string
	body []byte
	err  error // it could not be read

	notice  *hl7.Notice // there is no message, but this is in the file
	noticed *noticed    // the file is at its end, and all this was in it
}

// sent is what became of it.
type sent struct {
	File   string `json:"file"`
	Status int    `json:"status,omitempty"` // HTTP; 0 when the lake was not asked
	client.Receipt
	Error string `json:"error,omitempty"`

	err     error
	notice  *hl7.Notice
	noticed *noticed
}

// send posts the messages, several at once, and reports them in their order.
func (l *lake) send(ctx context.Context, lake *client.Client, messages iter.Seq[outgoing], o sendOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan chan sent, o.parallel-1)
	go func() {
		defer close(queue)
		for message := range messages {
			result := make(chan sent, 1)
			select {
			case queue <- result:
				go func() { result <- sendOne(ctx, lake, message, o.charset) }()
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { // waits for what is under way
		cancel()
		for result := range queue {
			<-result
		}
	}()
	var sum tally
	for result := range queue {
		done := <-result
		if fatal(done.err) {
			return done.err
		}
		sum.add(done)
		if err := l.reportSent(done); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Fprintln(l.err, sum)
	if sum.refused > 0 || sum.skipped > 0 {
		return errReported
	}
	return nil
}

// fatal tells whether the next message would meet the same error: no answer from
// the lake, no token.
func fatal(err error) bool {
	if _, refused := errors.AsType[*client.Problem](err); refused {
		return false
	}
	_, unreadable := errors.AsType[*fs.PathError](err)
	return err != nil && !unreadable
}

func sendOne(ctx context.Context, lake *client.Client, message outgoing, charset string) sent {
	done := sent{File: message.name, err: message.err, notice: message.notice, noticed: message.noticed}
	if done.notice != nil || done.noticed != nil {
		return done
	}
	if done.err == nil {
		done.Receipt, done.err = lake.Send(ctx, client.Message{Body: message.body, Charset: charset})
		done.Status = done.Receipt.Status
	}
	if problem, ok := errors.AsType[*client.Problem](done.err); ok {
		done.Status = problem.Status
	}
	if done.err != nil {
		done.Error = done.err.Error()
	}
	return done
}

func (l *lake) reportSent(done sent) error {
	if done.notice != nil || done.noticed != nil {
		return l.reportNotice(done)
	}
	if l.json {
		return l.object(done)
	}
	var status, text string
	style := term.Good
	switch {
	case done.err != nil:
		status, text, style = "-", done.Error, term.Bad
		if problem, ok := errors.AsType[*client.Problem](done.err); ok {
			status, text = strconv.Itoa(problem.Status), problem.Detail
		}
	case done.Duplicate:
		status, text, style = "409", done.ID+"  duplicate", term.Note
		if done.Detail != "" {
			text += ": " + done.Detail
		}
	default:
		status, text = "201", done.ID
	}
	_, err := fmt.Fprintf(l.out, "%-3s  %s  %s\n", l.out.Styled(style, status), done.File, text)
	return err
}

// reportNotice tells of what was in a file besides its messages: on the side, or as lines
// of JSON.
func (l *lake) reportNotice(done sent) error {
	switch {
	case l.json && done.notice != nil:
		return l.object(struct {
			File   string     `json:"file"`
			Reason hl7.Reason `json:"reason"`
			Line   int        `json:"line"`
			Offset int64      `json:"offset"`
			Length int        `json:"length"`
		}{done.File, done.notice.Reason, done.notice.Line, done.notice.Offset, done.notice.Length})
	case l.json:
		return l.object(struct {
			File string `json:"file"`
			*noticed
		}{done.File, done.noticed})
	case done.notice != nil:
		l.note(place(done.File, *done.notice))
	default:
		l.note(done.File + ": " + done.noticed.String())
	}
	return nil
}

// tally counts answers.
type tally struct{ accepted, duplicates, refused, skipped int }

func (t *tally) add(done sent) {
	switch {
	case done.notice != nil:
	case done.noticed != nil:
		t.skipped += done.noticed.Outside
	case done.err != nil:
		t.refused++
	case done.Receipt.Status == http.StatusConflict:
		t.duplicates++
	default:
		t.accepted++
	}
}

func (t tally) String() string {
	return fmt.Sprintf("accepted: %d, duplicates: %d, refused: %d", t.accepted, t.duplicates, t.refused)
}

// read gives the messages in files, folders and standard input.
func (l *lake) read(names []string, split bool) iter.Seq[outgoing] {
	return func(yield func(outgoing) bool) {
		for path := range walk(names) {
			if path.err != nil {
				if !yield(outgoing{name: path.name, err: path.err}) {
					return
				}
				continue
			}
			for message := range l.messages(path.name, split) {
				if !yield(message) {
					return
				}
			}
		}
	}
}

// messages are those of one file: the file itself, or what it is made of.
func (l *lake) messages(name string, split bool) iter.Seq[outgoing] {
	return func(yield func(outgoing) bool) {
		file, err := l.open(name)
		if err != nil {
			yield(outgoing{name: name, err: err})
			return
		}
		defer file.Close()
		if !split {
			body, err := io.ReadAll(file)
			yield(outgoing{name: name, body: body, err: err})
			return
		}
		l.split(name, file, yield)
	}
}

// split gives the messages of one file, each a slice of it, and tells what else is there. A
// message in doubt comes as an error, as it may be half of one, or more than one.
func (l *lake) split(name string, file io.Reader, yield func(outgoing) bool) {
	var all noticed
	more := true
	parts := hl7.NewReader(file)
	parts.Tell = func(n hl7.Notice) {
		before := all.total()
		all.add(n)
		if n.Reason != hl7.Unsure && all.total() > before && all.total() <= noticesShown {
			more = more && yield(outgoing{name: name, notice: &n})
		}
	}
	for n := 0; more; {
		part, err := parts.Next()
		switch {
		case !more:
		case errors.Is(err, io.EOF):
			if all.total() > 0 {
				yield(outgoing{name: name, noticed: &all})
			}
			return
		case err != nil:
			yield(outgoing{name: name, err: &fs.PathError{Op: "split", Path: name, Err: err}})
			return
		case part.Kind == hl7.Single:
			n++
			message := outgoing{name: name + "#" + strconv.Itoa(n), body: bytes.Clone(part.Data)}
			if part.Doubt != nil {
				message = outgoing{name: message.name, err: &fs.PathError{Op: "split", Path: name, Err: part.Doubt}}
			}
			more = yield(message)
		}
	}
}

// open opens a file; - is standard input.
func (l *lake) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(l.in), nil
	}
	return os.Open(name)
}

// found is a file to read, or why there is none.
type found struct {
	name string
	size int64 // 0 where it is not known
	err  error
}

// walk gives the files, and those in the folders, in the order of their names.
// Names that begin with a dot are left out of folders.
func walk(names []string) iter.Seq[found] {
	return func(yield func(found) bool) {
		for _, name := range names {
			if name == "-" {
				if !yield(found{name: name}) {
					return
				}
				continue
			}
			err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
				if err != nil {
					return stopUnless(yield(found{name: path, err: err}))
				}
				if path != name && strings.HasPrefix(entry.Name(), ".") {
					if entry.IsDir() {
						return fs.SkipDir
					}
					return nil
				}
				info, err := os.Stat(path) // of what a link leads to
				if err == nil && info.IsDir() {
					return nil
				}
				next := found{name: path, err: err}
				if err == nil {
					next.size = info.Size()
				}
				return stopUnless(yield(next))
			})
			if err != nil {
				return
			}
		}
	}
}

func stopUnless(more bool) error {
	if more {
		return nil
	}
	return fs.SkipAll
}
