package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
)

func (p *program) logsCommand() *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs [ID]",
		Short: "Show what the lake's functions log",
		Long: `logs shows what the functions of a lake wrote to their logs, in the order of
time: of all messages, or of the one whose id is given. The lines hold no content
of messages. Those of a lake on this machine lie in the folder logs of its own, a
file for each function; with --outputs they are asked for in CloudWatch Logs, with
your AWS credentials.

The exit status is 1 if nothing is logged of that message or function.
` + exitCodes,
		Example: `  lake logs 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake logs --function ingest --follow
  lake logs --outputs outputs.json --since 24h ID`,
		Args: func(cmd *cobra.Command, arguments []string) error {
			if len(arguments) > 1 {
				return usage(cmd, &argumentError{want: "the id of one message, or none", got: len(arguments)})
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, arguments []string) error {
			o.id = strings.ToLower(strings.TrimSpace(strings.Join(arguments, "")))
			return p.logs(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.function, "function", "", "only of this `function`, as ingest or parse")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is logged next, until Ctrl-C")
	cmd.Flags().DurationVar(&o.since, "since", time.Hour, "with --outputs: not what is older than this")
	p.placeFlags(cmd)
	return cmd
}

// logsOptions say which lines to show.
type logsOptions struct {
	id, function string // only this function's, unless ""
	follow       bool
	since        time.Duration // on AWS: nothing older
}

func (p *program) logs(ctx context.Context, o logsOptions) error {
	connection, err := p.connection()
	if err != nil {
		return err
	}
	shown := 0
	show := func(line logLine) error {
		shown++
		text := line.text
		if !p.json {
			text = line.format(p.out)
		}
		_, err := fmt.Fprintln(p.out, text)
		return err
	}
	var functions []string
	if p.access.outputs != "" {
		functions, err = p.logsOfAWS(ctx, connection, o, show)
	} else {
		files := newLogFiles(filepath.Join(p.access.dir, "logs"))
		files.function, files.id = o.function, o.id
		if err = files.next(show); err == nil && o.follow {
			err = files.follow(ctx, show)
		}
		functions = files.functions()
	}
	if err != nil {
		return err
	}
	if shown == 0 && !o.follow {
		p.note("Nothing is logged of that. There are logs of: " + strings.Join(functions, ", "))
		return errReported
	}
	return nil
}

// showLogs shows what the functions of the lake in a folder log from now on, separate
// from the results. It ends when ctx ends or the returned function is called, which waits
// for the end.
func (p *program) showLogs(ctx context.Context, dir string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	logs := newLogFiles(filepath.Join(dir, "logs"))
	logs.skip()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = logs.follow(ctx, func(line logLine) error {
			_, err := fmt.Fprintln(p.err, line.format(p.err))
			return err
		})
	}()
	return func() { cancel(); <-ended }
}

// logLine is a line that a function logged.
type logLine struct {
	function string
	at       string // as logged, RFC 3339 in UTC; "" if the line has none
	text     string
}

// format writes a line for a person: time, function, level and the rest.
func (line logLine) format(s term.Screen) string {
	level, rest := "", line.text
	decoder := json.NewDecoder(strings.NewReader(line.text))
	if pairs, err := members(decoder); err == nil {
		var message string
		var others []string
		for _, pair := range pairs {
			switch pair[0] {
			case "timestamp":
			case "level":
				level = fmt.Sprintf("%-5s  ", pair[1])
			case "msg", "message":
				message = pair[1] + " "
			case "_aws": // for CloudWatch's metrics
			default:
				others = append(others, pair[0]+"="+quoted(pair[1]))
			}
		}
		rest = strings.TrimSpace(message + strings.Join(others, " "))
	}
	clock := ""
	if _, day, ok := strings.Cut(line.at, "T"); ok {
		clock = day
	}
	style := term.Plain
	switch strings.TrimSpace(level) {
	case "WARN":
		style = term.Note
	case "ERROR":
		style = term.Bad
	}
	const indent = 26 // of the level
	return s.Folded(fmt.Sprintf("%-13s  %s  %s%s", clock, s.Styled(term.Dim, fmt.Sprintf("%-9s", line.function)), s.Styled(style, level), term.OnOneLine(rest)), indent)
}

// quoted puts a value with spaces or control characters into quotation marks.
func quoted(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }) && !strings.HasPrefix(value, "{") {
		return strconv.Quote(value)
	}
	return value
}

// members returns the names and values of a JSON object in their order. A value that is
// not a string stays JSON.
func members(decoder *json.Decoder) (pairs [][2]string, err error) {
	open, err := decoder.Token()
	if err != nil || open != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		pairs = append(pairs, [2]string{fmt.Sprint(name), text})
	}
	return pairs, nil
}

// logFiles are the logs in a folder, with a file for each function.
type logFiles struct {
	dir      string
	function string           // only this function's, unless ""
	id       string           // only lines with this text, in lower case, unless ""
	seen     map[string]int64 // how far each file was read
}

func newLogFiles(dir string) *logFiles { return &logFiles{dir: dir, seen: map[string]int64{}} }

// functionName extracts the name from CloudFormation's:
// <stack>-<Name>Function<hash>-<suffix>.
var functionName = regexp.MustCompile(`([A-Za-z0-9]+)Function[0-9A-F]{8}`)

func functionOf(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".log")
	if found := functionName.FindStringSubmatch(name); found != nil {
		return strings.ToLower(found[1])
	}
	return name
}

func (l *logFiles) files() []string {
	files, _ := filepath.Glob(filepath.Join(l.dir, "*.log")) // the pattern is well formed
	return files
}

// functions returns the names of the functions that have logged.
func (l *logFiles) functions() []string {
	var names []string
	for _, file := range l.files() {
		names = append(names, functionOf(file))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// skip passes over what is already logged.
func (l *logFiles) skip() {
	for _, file := range l.files() {
		if info, err := os.Stat(file); err == nil {
			l.seen[file] = info.Size()
		}
	}
}

// next returns the complete lines logged since the last call, sorted by time. A line
// without a time follows the one before it in its file.
func (l *logFiles) next(show func(logLine) error) error {
	type timed struct {
		logLine
		sort string
	}
	var lines []timed
	for _, file := range l.files() {
		function := functionOf(file)
		if l.function != "" && function != l.function {
			continue
		}
		content, err := l.rest(file)
		if err != nil {
			return err
		}
		last := ""
		for text := range strings.Lines(string(content)) {
			text = strings.TrimRight(text, "\r\n")
			var stamp struct{ Timestamp string }
			if json.Unmarshal([]byte(text), &stamp) == nil && stamp.Timestamp != "" {
				last = stamp.Timestamp
			}
			if text != "" && (l.id == "" || strings.Contains(strings.ToLower(text), l.id)) {
				lines = append(lines, timed{logLine{function, stamp.Timestamp, text}, last})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b timed) int { return strings.Compare(a.sort, b.sort) })
	for _, line := range lines {
		if err := show(line.logLine); err != nil {
			return err
		}
	}
	return nil
}

// rest returns the unread part of a file, up to the end of its last complete line.
func (l *logFiles) rest(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, l.seen[name], 1<<62))
	if err != nil {
		return nil, err
	}
	content = content[:bytes.LastIndexByte(content, '\n')+1]
	l.seen[name] += int64(len(content))
	return content, nil
}

// follow shows what is logged until ctx ends.
func (l *logFiles) follow(ctx context.Context, show func(logLine) error) error {
	const interval = 200 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.next(show) // what was logged at the end
		case <-ticker.C:
			if err := l.next(show); err != nil {
				return err
			}
		}
	}
}
