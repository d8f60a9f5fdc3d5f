package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
)

type parseOptions struct {
	pretty   bool
	stats    bool
	validate bool
	strict   bool
	values   bool
	enrich   bool
	path     string
}

func (p *program) parseCommand() *cobra.Command {
	var o parseOptions
	cmd := &cobra.Command{
		Use:   "parse FILE|FOLDER|-…",
		Short: "Read messages without a lake: show, convert, validate or count",
		Long: `parse reads messages from files, folders and standard input (-), alone or many in
a file, batches and MLLP captures too; what is compressed with gzip or lies in a zip
archive is read as it is. Files are read as a stream, so they can be larger than
memory.

--pretty, what is shown unless something else is chosen, is a line a value with
its path and name. --json is a line of JSON a message; --enrich adds names, dates
in ISO 8601 and groups. --path writes one value of each message, or with [*] for a
repetition all of them; a field that has parts is written as it stands. --validate
lists where messages depart from the version that they name, with --strict also what
few senders keep, and with --values the value there. --stats counts: how many messages of which types, versions and
character sets, how many could not be parsed, and where.

What is in no message, and lines that only begin like a header, are told with their
places.

Exit status: 0 every message parsed, 1 some did not, a named file or folder holds
none, or with --validate a message departs from the standard, 2 wrong usage or a
file that cannot be read, 130 interrupted.`,
		Example: `  lake parse adt-a01.hl7
  lake parse --path PID-5.1 export/
  lake parse --validate adt-a01.hl7
  lake parse --stats year-2025.hl7
  lake parse --json batch.hl7.gz | jq .type`,
		Args: atLeastOne("a file to parse"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			write, err := p.parseOutput(o)
			if err != nil {
				return usage(cmd, err)
			}
			return p.parse(cmd.Context(), arguments, write)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.pretty, "pretty", false, "a line a value, with its path")
	flags.BoolVar(&o.stats, "stats", false, "figures about all messages")
	flags.BoolVar(&o.validate, "validate", false, "departures from the standard")
	flags.BoolVar(&o.strict, "strict", false, "with --validate: lengths, codes and unknown elements too")
	flags.BoolVar(&o.values, "values", false, "with --validate: show the value at each place, which is content")
	flags.BoolVar(&o.enrich, "enrich", false, "with --json: add names, ISO dates, numbers and groups")
	flags.StringVar(&o.path, "path", "", "only the value at this `path`, as PID-3[2].4.1 or PID-3[*].1")
	cmd.MarkFlagsMutuallyExclusive("pretty", "stats", "validate", "path")
	return cmd
}

// parsed is one message of the input, or the error at its place.
type parsed struct {
	file    string
	number  int          // 1-based, in its file; counts what could not be parsed too
	message *hl7.Message // valid until the next one; nil with err
	err     error
	several bool // the input is more than one file
}

// place names the message: its file, and its number if it is not the first.
func (p parsed) place() string {
	if p.number <= 1 {
		return term.OnOneLine(p.file)
	}
	return fmt.Sprintf("%s#%d", term.OnOneLine(p.file), p.number)
}

// parseOutput is a way to show messages.
type parseOutput interface {
	write(out *bufio.Writer, p parsed) error
	// end writes what there is to say about all messages. It returns errReported if they
	// could be parsed but are not as they should be.
	end(out *bufio.Writer, took time.Duration, read int64) error
}

func (p *program) parseOutput(o parseOptions) (parseOutput, error) {
	switch {
	case o.values && !o.validate:
		return nil, errors.New("--values goes with --validate")
	case o.strict && !o.validate:
		return nil, errors.New("--strict goes with --validate")
	case o.enrich && (!p.json || o.pretty || o.stats || o.validate || o.path != ""):
		return nil, errors.New("--enrich goes with --json alone")
	case o.path != "":
		output, err := newValueOutput(o.path, p.json)
		if err != nil {
			return nil, fmt.Errorf("--path %s: %s", o.path, strings.TrimPrefix(err.Error(), "hl7: "))
		}
		return output, nil
	case o.stats:
		return newStats(p.out, p.json), nil
	case o.validate:
		return &validation{screen: p.out, json: p.json, strict: o.strict, values: o.values}, nil
	case p.json:
		return &jsonOutput{enrich: o.enrich}, nil
	default:
		return &prettyOutput{screen: p.out}, nil
	}
}

// parse reads all inputs and shows each message as it comes.
func (p *program) parse(ctx context.Context, names []string, output parseOutput) error {
	var files []found
	var total int64
	for file := range walk(names) {
		if file.err != nil && unreadable(file.err) {
			return file.err
		}
		files = append(files, file)
		total += file.size
	}
	out := bufio.NewWriterSize(p.out, 64<<10)
	run := &parseRun{program: p, arguments: map[string]*holdings{}, meter: newMeter(p.err, total)}
	if figures, counted := output.(*stats); counted {
		run.quiet = &figures.Besides
	}
	failed := 0
	for message, err := range run.all(ctx, files) {
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		if message.err != nil {
			failed++
			run.progress.Clear()
		}
		if err := p.showParsed(out, output, message); err != nil {
			return err
		}
	}
	run.progress.Clear()
	empty := run.tellEmpty(names)
	end := output.end(out, time.Since(run.start), run.read)
	if err := out.Flush(); err != nil {
		return err
	}
	if end == nil && failed+empty > 0 {
		return errReported
	}
	return end
}

func (p *program) showParsed(out *bufio.Writer, output parseOutput, message parsed) error {
	if err := output.write(out, message); err != nil {
		return err
	}
	if message.err == nil {
		return nil
	}
	if _, counted := output.(*stats); counted {
		return nil
	}
	// Earlier output must appear before it.
	if err := out.Flush(); err != nil {
		return err
	}
	p.note(message.place() + ": " + strings.TrimPrefix(message.err.Error(), "hl7: "))
	return nil
}

// parseRun is one walk through the inputs.
type parseRun struct {
	program *program
	read    int64 // bytes that the files hold

	arguments map[string]*holdings // by their names

	*meter
	quiet *noticed // counts what is in no message, if that is not shown one by one
}

// all yields every message of every file. An error that comes with it is about the input
// itself and ends the run.
func (r *parseRun) all(ctx context.Context, files []found) iter.Seq2[parsed, error] {
	return func(yield func(parsed, error) bool) {
		for _, file := range files {
			argument := r.arguments[file.argument]
			if argument == nil {
				argument = &holdings{}
				r.arguments[file.argument] = argument
			}
			if file.err != nil {
				argument.holds = append(argument.holds, file.err)
				continue
			}
			several := len(files) > 1
			for from := range r.program.contents(file, r.pass) {
				if empty, is := errors.AsType[*emptyError](from.err); is {
					argument.holds = append(argument.holds, empty)
					continue
				}
				if from.err != nil {
					yield(parsed{}, from.err)
					return
				}
				several = several || from.name != file.name
				front, _ := from.input.Peek(sniffed)
				kind, broken := kindOf(front), brokenHeader(front)
				before := argument.messages
				if !r.messages(ctx, from, several, argument, yield) {
					return
				}
				if broken {
					argument.messages++
				}
				if argument.messages == before {
					argument.holds = append(argument.holds, &emptyError{from.name, kind})
				}
			}
		}
	}
}

// holdings is what an argument of the command line led to.
type holdings struct {
	messages int
	holds    []error // files without a message, each an *emptyError
}

// tellEmpty reports which arguments hold no message, and how many there are.
func (r *parseRun) tellEmpty(names []string) (empty int) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		argument := r.arguments[name]
		if argument == nil || argument.messages > 0 {
			continue
		}
		empty++
		for _, held := range argument.holds[:min(len(argument.holds), placesShown)] {
			r.say(held.Error())
		}
		if more := len(argument.holds) - placesShown; more > 0 {
			r.say(fmt.Sprintf("%s: no HL7 message in %d files more", term.OnOneLine(name), more))
		}
	}
	return empty
}

// messages yields those of one file; it reports whether to go on.
func (r *parseRun) messages(ctx context.Context, from content, several bool, argument *holdings, yield func(parsed, error) bool) bool {
	p := parsed{file: from.name, several: several}
	var all noticed
	reader := hl7.NewReader(&countingReader{input: from.input, run: r, ctx: ctx})
	reader.Tell = func(n hl7.Notice) {
		all.add(n)
		if n.Reason == hl7.Lookalike && all.Lookalikes <= noticesShown && r.quiet == nil {
			r.say(place(from.name, n))
		}
	}
	defer func() { r.sum(from.name, all) }()
	for message, err := range reader.Messages() {
		if _, wrong := errors.AsType[*hl7.ParseError](err); err != nil && !wrong {
			yield(parsed{}, readError(from.name, err))
			return false
		}
		if isMessage(err) {
			p.number++
			if !errors.Is(err, hl7.ErrNoHeader) {
				argument.messages++
			}
		}
		p.message, p.err = message, err
		if !yield(p, nil) {
			return false
		}
	}
	return true
}

// sum reports what a file held besides its messages. Where it could not be divided is
// reported with the messages.
func (r *parseRun) sum(name string, all noticed) {
	all.Unsure = 0
	switch {
	case all.total() == 0:
	case r.quiet != nil:
		r.quiet.Outside += all.Outside
		r.quiet.Bytes += all.Bytes
		r.quiet.Lookalikes += all.Lookalikes
	default:
		r.say(term.OnOneLine(name) + ": " + all.String())
	}
}

func (r *parseRun) say(text string) {
	r.progress.Clear()
	r.program.note(text)
}

// isMessage reports whether an error, or nil, stands for a message. The error of a
// trailer does not, and neither does doubt about the message before it.
func isMessage(err error) bool {
	return !errors.Is(err, hl7.ErrCount) && !errors.Is(err, hl7.ErrUnsure)
}

// countingReader counts what is read, shows how far it is, and ends with ctx.
type countingReader struct {
	input io.Reader
	run   *parseRun
	ctx   context.Context
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.input.Read(p)
	c.run.read += int64(n)
	c.run.show(time.Now(), c.run.speed)
	return n, err
}

// speed says how fast the content of the files is read.
func (r *parseRun) speed(took time.Duration) string {
	return size(int64(float64(r.read)/took.Seconds())) + "/s"
}
