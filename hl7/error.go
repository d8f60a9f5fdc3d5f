package hl7

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with an input. Everything else can be read.
var (
	// ErrEmpty: the input holds only spaces, line ends and framing.
	ErrEmpty = errors.New("empty input")
	// ErrNoHeader: the first segment is not MSH followed by a field separator
	// (HL7 v2.5.1, 2.15.9.1).
	ErrNoHeader = errors.New("does not begin with an MSH segment")
	// ErrTruncatedHeader: the input ends, or its first segment does, before MSH-3.
	ErrTruncatedHeader = errors.New("the MSH segment ends before its third field")
	// ErrDelimiters: MSH-1 or MSH-2 hold characters that cannot be delimiters: letters,
	// digits, control characters, or more than six characters (HL7 v2.5.1, 2.15.9.2).
	ErrDelimiters = errors.New("unusable delimiters")
	// ErrSeveralMessages: a batch, or several MSH segments. A [Reader] splits such an
	// input; [Message.Parse] reads exactly one message.
	ErrSeveralMessages = errors.New("more than one message")
	// ErrOutside: bytes that belong to no message, after the end of an MLLP frame.
	ErrOutside = errors.New("bytes that belong to no message")
	// ErrUnsure: it is not certain where a message in a stream ends. A header after it
	// cannot be read, or its MLLP frame has only a beginning or only an end.
	ErrUnsure = errors.New("not certain where the message ends")
	// ErrTooLarge: a message in a stream exceeds the limit of its [Reader].
	ErrTooLarge = errors.New("larger than the limit")
	// ErrLayout: formatting commands such as \.sp200\ stand for more line ends and spaces
	// than any report has.
	ErrLayout = errors.New("too many formatting commands")
	// ErrCount: BTS-1 or FTS-1 disagrees with the content of the batch or file (HL7
	// v2.5.1, 2.15.3 and 2.15.7).
	ErrCount = errors.New("the count differs from the trailer's")
	// ErrTime: a value is not a date or time.
	ErrTime = errors.New("not a time")
	// ErrCharset: a character set is not known.
	ErrCharset = errors.New("no such character set")
	// ErrNoSegment: an edit names a segment that the message does not have.
	ErrNoSegment = errors.New("no such segment")
	// ErrNotEncodable: a text cannot be written in the message's character set, or it
	// needs an escape character and the message has none.
	ErrNotEncodable = errors.New("text cannot be written in this message")
	// ErrJSON: a JSON text does not have the shape that [Message.AppendJSON] writes.
	ErrJSON = errors.New("not the JSON of a message")
	// ErrAck: an [Ack] lacks its code, control id or time, or a problem its code.
	ErrAck = errors.New("acknowledgment is incomplete")
	// ErrPath: a path does not have the form PID[1]-3[2].4.1.
	ErrPath = errors.New("not a path")
)

// A ParseError says what is wrong with an input, and where. Its text holds no content of
// the message, so it may be logged, stored and sent to anybody.
type ParseError struct {
	Code    string // "empty", "no-header", "truncated-header", "bad-delimiters", "batch", "batch-count", "file-count", "outside", "unsure", "too-large", "layout"
	Line    int    // 1-based, as an editor counts the lines of the input
	Segment int    // 1-based position of the segment in the message; 0 if there is none
	Path    string // the element, such as "MSH-2"; empty if not known
	Offset  int    // bytes from the start of the input
	Err     error  // one of the errors of this package
}

func (e *ParseError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hl7: line %d", e.Line)
	if e.Segment > 0 {
		fmt.Fprintf(&b, ", segment %d", e.Segment)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, ", %s", e.Path)
	}
	fmt.Fprintf(&b, ", offset %d: %s: %v", e.Offset, e.Code, e.Err)
	return b.String()
}

func (e *ParseError) Unwrap() error { return e.Err }
