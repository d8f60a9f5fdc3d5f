package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
)

// sent is what became of one message, or of what the file had in its place.
type sent struct {
	File   string `json:"file"`
	Status int    `json:"status,omitempty"` // HTTP status; 0 if the lake was not asked
	Ack    string `json:"ack,omitempty"`    // over MLLP: MSA-1
	client.Receipt
	Became *outcome `json:"became,omitempty"` // with --wait
	Error  string   `json:"error,omitempty"`

	err     error
	file    found
	notice  *hl7.Notice
	noticed *noticed
	end     bool
	before  int
	at      int64
}

// outcome is how far a message came.
type outcome struct {
	Status client.Status  `json:"status"`
	Reason *client.Reason `json:"reason,omitempty"`

	ended bool
}

func (o outcome) String() string {
	if o.Reason != nil {
		return string(o.Status) + ": " + o.Reason.String()
	}
	return string(o.Status)
}

// isMessage reports whether this is about a message, sent or not, and not about something
// else in a file.
func (s sent) isMessage() bool { return s.notice == nil && s.noticed == nil && !s.end }

// sending is one run of `lake send`.
type sending struct {
	program *program
	to      *client.Client // to follow messages; nil over MLLP
	post    func(ctx context.Context, body []byte, done *sent) error
	o       sendOptions
	sum     tally
	advice  bool // --split was recommended
	lines   int  // the number of answers that were shown
	groups  errorGroups
	meter   *meter
	track   tracking
}

// send posts the messages of the files, several at once, and reports them in their order.
// The key names the lake and the sender. Of s, what it is made for is set.
func (p *program) send(ctx context.Context, s *sending, key string, names []string) error {
	o := s.o
	var total int64
	if p.err.Live {
		for file := range walk(names) {
			total += file.size
		}
	}
	s.groups, s.meter = errorGroups{}, newMeter(p.err, total)
	s.track = tracking{journals: newJournals(key, o.split), write: o.resume}
	before := func(found) (mark, error) { return mark{}, nil }
	if o.resume {
		before = s.track.journals.find
	}
	err := s.all(ctx, p.read(walk(names), o, before))
	s.meter.progress.Clear()
	if err != nil && s.sum == (tally{}) {
		return err
	}
	s.groups.tell(p.note)
	p.note(s.sum.String())
	if err == nil {
		err = s.sum.verdict()
		return errors.Join(err, s.track.journals.close(o.resume && err == nil))
	}
	s.goOn()
	return err
}

// goOn leaves a journal and says how to send the rest.
func (s *sending) goOn() {
	if err := errors.Join(s.track.leave(), s.track.journals.close(false)); err != nil {
		s.note(fmt.Sprintf("To go on, repeat the command: what is in the lake is a duplicate. There is no journal, as: %v", err))
		return
	}
	s.note("To go on, repeat the command with --resume: a journal beside the files has what was sent.")
}

// note writes a line for a person in place of the progress.
func (s *sending) note(text string) {
	s.meter.progress.Clear()
	s.program.note(text)
}

// all sends messages until there are no more, ctx ends or the lake is not to be talked
// to.
func (s *sending) all(ctx context.Context, messages iter.Seq[outgoing]) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan chan sent, s.o.parallel-1)
	go func() {
		defer close(queue)
		for message := range messages {
			result := make(chan sent, 1)
			select {
			case queue <- result:
				go func() { result <- s.one(ctx, message) }()
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { // waits for the requests under way
		cancel()
		for result := range queue {
			<-result
		}
	}()
	var passed int64 // bytes of the files that have ended
	for result := range queue {
		done := <-result
		if ctx.Err() != nil && done.err != nil {
			return context.Cause(ctx)
		}
		if fatal(done.err) {
			if _, lost := errors.AsType[*client.UnreachableError](done.err); lost && s.sum != (tally{}) {
				s.sum.lost++
			}
			return done.err
		}
		s.sum.add(done)
		if err := errors.Join(s.track.add(done), s.report(done)); err != nil {
			return err
		}
		if done.end {
			passed += done.file.size
			done.at = 0
		}
		s.meter.reach(passed + done.at)
		s.meter.show(time.Now(), s.pace)
	}
	return context.Cause(ctx)
}

// pace says how many messages there were, and how fast.
func (s *sending) pace(took time.Duration) string {
	n := s.sum.all()
	return fmt.Sprintf("%d messages, %.0f/s", n, float64(n)/took.Seconds())
}

// fatal reports whether the next message would meet the same error: no answer from the
// lake, no token, or one that is not valid or not any more.
func fatal(err error) bool {
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Status == http.StatusUnauthorized {
		return true
	}
	_, refused := errors.AsType[*client.Problem](err)
	_, negative := errors.AsType[*ackError](err)
	return err != nil && !refused && !negative && !unreadable(err) && !notSent(err)
}

// notSent reports whether an error says that a file or a part of it must not be sent.
func notSent(err error) bool {
	_, several := errors.AsType[*notOneError](err)
	_, empty := errors.AsType[*emptyError](err)
	return several || empty
}

func (s *sending) one(ctx context.Context, message outgoing) sent {
	done := sent{
		File: message.name, err: message.err, file: message.file,
		notice: message.notice, noticed: message.noticed, end: message.end, before: message.before, at: message.at,
	}
	if !done.isMessage() {
		return done
	}
	if done.err == nil {
		done.err = s.post(ctx, message.body, &done)
		done.Status = done.Receipt.Status
		if done.err == nil && s.o.wait > 0 {
			done.Became, done.err = s.became(ctx, done.ID)
		}
	}
	if problem, ok := errors.AsType[*client.Problem](done.err); ok {
		done.Status = problem.Status
	}
	if done.err != nil {
		done.Error = plainly(done.err)
	}
	return done
}

// became waits until a message has ended.
func (s *sending) became(ctx context.Context, id string) (*outcome, error) {
	limited, cancel := context.WithTimeout(ctx, s.o.wait)
	defer cancel()
	history, err := s.to.Wait(limited, id)
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return nil, err
	}
	end := &outcome{Status: history.Status, ended: history.Ended}
	if step, ok := history.Outcome(); ok {
		end.Reason = step.Reason
	}
	return end, nil
}

func (s *sending) report(done sent) error {
	l := s.program
	switch {
	case done.end:
		return nil
	case !done.isMessage():
		s.meter.progress.Clear()
		return l.reportNotice(done)
	}
	if s.lines++; s.lines > linesShown && !l.json {
		if s.lines == linesShown+1 {
			s.note("Further answers are counted; --json writes a line for each.")
		}
		if done.err != nil {
			s.groups.add(done)
		}
		return nil
	}
	s.meter.progress.Clear()
	if advice, is := errors.AsType[*notOneError](done.err); is && advice.split && !s.advice {
		s.advice = true
		s.note("A file that is not one message is not sent: --split takes it apart, --whole posts it as it is.")
	}
	if l.json {
		return l.object(done)
	}
	status, text, style := done.answer()
	return l.row(answerIndent, "%-3s  %s  %s", l.out.Styled(style, status), term.OnOneLine(done.File), text)
}

// answerIndent is how far what is said about a message is indented below its status.
const answerIndent = 5

// answer returns the line of a message: its status, what to say about it, and its style.
func (s sent) answer() (status, text string, style term.Style) {
	switch {
	case s.err != nil:
		if problem, ok := errors.AsType[*client.Problem](s.err); ok {
			return strconv.Itoa(problem.Status), problem.Detail, term.Bad
		}
		if empty, ok := errors.AsType[*emptyError](s.err); ok {
			return "-", "not sent: no HL7 message: " + empty.holds, term.Bad
		}
		if negative, ok := errors.AsType[*ackError](s.err); ok {
			return negative.code, negative.text, term.Bad
		}
		if file, ok := errors.AsType[*fs.PathError](s.err); ok { // the line has the name
			return "-", unusable(file), term.Bad
		}
		return "-", s.Error, term.Bad
	case s.Ack != "":
		return s.Ack, "", term.Good
	case s.Duplicate:
		status, text, style = "409", s.ID+"  duplicate", term.Note
		if s.Detail != "" {
			text += ": " + s.Detail
		}
	default:
		status, text, style = "201", s.ID, term.Good
	}
	if s.Became != nil {
		text += "  " + s.Became.String()
		style = styleOf(s.Became.Status)
	}
	return status, text, style
}

// reportNotice reports what was in a file besides its messages: as a note, or as lines of
// JSON.
func (p *program) reportNotice(done sent) error {
	switch {
	case p.json && done.notice != nil:
		return p.object(struct {
			File   string     `json:"file"`
			Reason hl7.Reason `json:"reason"`
			Line   int        `json:"line"`
			Offset int64      `json:"offset"`
			Length int        `json:"length"`
		}{done.File, done.notice.Reason, done.notice.Line, done.notice.Offset, done.notice.Length})
	case p.json:
		return p.object(struct {
			File string `json:"file"`
			*noticed
		}{done.File, done.noticed})
	case done.notice != nil:
		p.note(place(done.File, *done.notice))
	default:
		p.note(term.OnOneLine(done.File) + ": " + done.noticed.String())
	}
	return nil
}

// tally counts answers.
type tally struct {
	accepted, duplicates, refused int
	notSent                       int // no message, or not exactly one
	unreadable                    int // files
	lost                          int // without an answer
	before                        int // sent by an earlier call
	skipped                       int // stretches of files that belong to no message
	waited                        bool
	staged, errors, underWay      int // of the messages that were followed
	filed                         int // of those, what is no ER7 and in the lake
}

func (t *tally) add(done sent) {
	switch {
	case done.end:
		t.before += done.before
	case done.noticed != nil:
		t.skipped += done.noticed.Outside
	case !done.isMessage():
	case notSent(done.err):
		t.notSent++
	case unreadable(done.err):
		t.unreadable++
	case done.err != nil:
		t.refused++
	case done.Receipt.Status == http.StatusConflict:
		t.duplicates++
	default:
		t.accepted++
	}
	if done.Became == nil {
		return
	}
	t.waited = true
	switch done.Became.Status {
	case client.Staged:
		t.staged++
	case client.Errored:
		t.errors++
	default:
		if done.Became.ended {
			t.filed++
		} else {
			t.underWay++
		}
	}
}

func (t tally) String() string {
	text := fmt.Sprintf("accepted: %d, duplicates: %d, refused: %d", t.accepted, t.duplicates, t.refused)
	for _, more := range []struct {
		what string
		n    int
	}{{"not sent", t.notSent}, {"unreadable", t.unreadable}, {"without an answer", t.lost}, {"sent before", t.before}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %s: %d", more.what, more.n)
		}
	}
	if t.waited {
		text += fmt.Sprintf("; JSON: %d, errors: %d, under way: %d", t.staged, t.errors, t.underWay)
		if t.filed > 0 {
			text += fmt.Sprintf(", filed: %d", t.filed)
		}
	}
	return text
}

// all returns how many messages there were in this call.
func (t tally) all() int { return t.accepted + t.duplicates + t.refused + t.notSent }

// verdict returns nil if everything that was to be sent is in the lake. A file that could
// not be read may be readable the next time, so it comes before a final refusal.
func (t tally) verdict() error {
	switch {
	case t.unreadable > 0:
		return errUnread
	case slices.Max([]int{t.refused, t.notSent, t.skipped, t.errors, t.underWay}) > 0:
		return errReported
	}
	return nil
}
