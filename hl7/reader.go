package hl7

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
)

// A Reader splits a stream into its messages: a file of several messages, a batch or a
// file of batches (HL7 v2.5.1, 2.10.3), or a capture of MLLP frames. It holds one message
// at a time in memory, however long the stream is.
//
// A message begins with a header, which is MSH with its encoding characters, on a line of
// its own or in an MLLP frame. It ends before the next header or trailer, or with its
// frame. NUL, FS and spaces separate messages as well. A line of text that only begins
// like a header is text, and so is a header after a space, a quotation mark or an opening
// bracket within a line. But a header directly after another character, as in FMSH|^~\&|,
// looks like two messages whose separator was lost. They stay one part, because nothing
// says where the first one ends, and [Part.Doubt] says so. Bytes that belong to no
// message are a part of their own, and [Reader.Tell] is called for them.
type Reader struct {
	// Limit is the most bytes that one message may have. Zero means 256 MiB.
	Limit int

	// Tell, if set, is called for each stretch of the stream that belongs to no message,
	// and for each place that a person may want to look at. The Reader keeps none of
	// them.
	Tell func(Notice)

	r          io.Reader
	err        error  // r's error, kept until the buffer is used up
	buf        []byte // read and not yet passed; a part of memory
	text       []byte // buf with one byte for each character; for anything but UTF-16 and UTF-32, buf itself
	wide       *units // of UTF-16 and UTF-32
	begun      bool   // wide is known
	lastLength int    // of the part that Next returned last, which is at the front of buf
	scan       scan   // of text

	memory []byte
	narrow []byte // memory of text, if that is not buf

	offset int64 // of buf in the stream
	line   int   // of buf in the stream, 1-based
	count  counts
}

// What the reader compares a trailer's count with.
type counts struct{ messages, batches int }

// A Part is a stretch of a stream. All parts together, in order, are the stream, byte for
// byte.
type Part struct {
	Kind   PartKind
	Data   []byte // valid until the next part is read
	Offset int64  // in the stream
	Line   int    // in the stream, 1-based

	// Doubt, if not nil, says where and why it is not certain that a message is complete
	// and alone: [ErrUnsure]. Such a message must not be stored as one.
	Doubt *ParseError
}

// Name returns the name of the segment with which the part begins, such as "FHS"; "" for
// a part of kind [Other].
func (p Part) Name() string {
	if p.Kind == Other {
		return ""
	}
	text := p.Data[leadingFrame(p.Data):]
	return string(text[:min(len(text), 3)])
}

// PartKind says what a [Part] is.
type PartKind int

// The kinds of parts.
const (
	Other   PartKind = iota // spaces, or bytes that belong to no message
	Single                  // a message: MSH and what follows it
	Opening                 // FHS or BHS
	Closing                 // BTS or FTS
)

// A Notice is about a place in a stream. It holds no content of the stream.
type Notice struct {
	Reason Reason
	Offset int64 // in the stream
	Line   int   // in the stream, 1-based
	Length int   // how many bytes belong to no message; 0 if they are kept in one
}

// Reason says what a [Notice] is about.
type Reason string

// The reasons. The lengths of the first four, and of the messages, add up to the length
// of the stream.
const (
	Blank      Reason = "blank"      // line ends, spaces and framing between messages
	Envelope   Reason = "envelope"   // a header or trailer of a batch or file
	Outside    Reason = "outside"    // segments or text that belong to no message
	Unreadable Reason = "unreadable" // a message that cannot be parsed; only from [Reader.Messages]
	Lookalike  Reason = "lookalike"  // a line of a message that begins like a header or trailer, but is text
	Unsure     Reason = "unsure"     // the end of a message is not certain: [Part.Doubt]
)

const (
	defaultLimit = 256 << 20
	readSize     = 256 << 10
)

// NewReader returns a Reader of the messages in r.
func NewReader(r io.Reader) *Reader {
	return &Reader{Limit: defaultLimit, r: r, line: 1, scan: newScan()}
}

// InputOffset returns how many bytes of the stream the parts returned so far make up.
func (r *Reader) InputOffset() int64 { return r.offset + int64(r.lastLength) }

// Messages returns an iterator over the messages. It yields the same Message each time,
// parsed again. For a message that cannot be parsed it yields a [*ParseError] whose place
// is in the stream, and goes on after it. It does the same for wrong counts in BTS-1 and
// FTS-1 ([ErrCount]) and for text that belongs to no message ([ErrNoHeader]). If the end
// of a message is not certain, it yields the message, and after it the error that made it
// so: [ErrUnsure] for an MLLP frame without an end and for a header within a line, else
// the error of the header or text that follows. An error of the stream itself ends the
// iteration, and so does a message that exceeds the limit.
func (r *Reader) Messages() iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		var m Message
		for {
			p, err := r.Next()
			if err == io.EOF {
				return
			}
			goOn := err == nil // otherwise the stream itself has ended
			if err == nil {
				if err = r.Check(&m, p); err != nil && p.Kind == Single {
					r.tell(Notice{Unreadable, p.Offset, p.Line, len(p.Data)})
				}
			}
			switch {
			case err != nil:
				if !yield(nil, err) || !goOn {
					return
				}
			case p.Kind == Single:
				if !yield(&m, nil) || p.Doubt != nil && r.scan.alone && !yield(nil, p.Doubt) {
					return
				}
			}
		}
	}
}

// placed changes the place of an error from the part to the stream.
func placed(err error, p Part) error {
	var e *ParseError
	if errors.As(err, &e) && p.Line > 0 {
		e.Line += p.Line - 1
		e.Offset += int(p.Offset)
	}
	return err
}

// Check parses p, the part that Next returned last, into m if it is a message, and
// reports what is wrong with p as [Reader.Messages] does, except for p's Doubt. It is
// called once for each part, because trailers are compared with the messages before them.
// The error is a [*ParseError] with its place in the stream.
func (r *Reader) Check(m *Message, p Part) error { return placed(r.check(m, p), p) }

func (r *Reader) check(m *Message, p Part) error {
	switch p.Kind {
	case Single:
		r.count.messages++
		return m.Parse(p.Data)
	case Opening:
		r.count.messages = 0
	case Closing:
		return r.checkCount()
	case Other:
		if !r.lastIsBlank() {
			at := leadingFrame(r.lastText())
			return &ParseError{Code: "no-header", Line: line(r.lastText(), at), Segment: 1, Offset: r.width() * at, Err: ErrNoHeader}
		}
	}
	return nil
}

// checkCount compares BTS-1, the number of messages in the batch, or FTS-1, the number of
// batches in the file, with what came (HL7 v2.5.1, 2.15.3.1 and 2.15.7.1). Both are
// optional.
func (r *Reader) checkCount() error {
	text := r.lastText()
	at := leadingFrame(text)
	segment := text[at:]
	name, code, got := string(segment[:3]), "batch-count", r.count.messages
	if name == "FTS" {
		code, got = "file-count", r.count.batches
		if r.count.messages > 0 { // outside of BHS and BTS, which a file may leave out
			got++
		}
		r.count = counts{}
	} else {
		r.count.messages = 0
		r.count.batches++
	}
	if len(segment) < 4 {
		return nil
	}
	end := bytes.IndexAny(segment[4:], string(segment[3])+"\r\n")
	if end < 0 {
		end = len(segment) - 4
	}
	want, err := strconv.Atoi(string(bytes.TrimSpace(segment[4 : 4+end])))
	if err != nil || want == got {
		return nil
	}
	return &ParseError{Code: code, Line: line(text, at), Path: name + "-1", Offset: r.width() * (at + 4), Err: ErrCount}
}

// Next returns the next part of the stream, and [io.EOF] after the last one.
func (r *Reader) Next() (Part, error) {
	r.dropLast()
	for {
		end := -1
		if r.begin() {
			end = r.scan.next(r.text, r.err != nil)
		}
		next := r.width() * end
		if end == len(r.text) { // half a character may be left
			next = len(r.buf)
		}
		if next > r.Limit || end < 0 && len(r.buf) > r.Limit {
			return Part{}, &ParseError{Code: "too-large", Line: r.line, Offset: int(r.offset), Err: ErrTooLarge}
		}
		switch {
		case next > 0:
			r.lastLength = next
			return r.tellPart(Part{Kind: r.scan.kind, Data: r.buf[:next:next], Offset: r.offset, Line: r.line}), nil
		case r.err != nil:
			return Part{}, r.err
		}
		r.fill()
	}
}

// begin finds out how wide the stream's characters are, as soon as it has enough bytes.
func (r *Reader) begin() bool {
	if !r.begun && (len(r.buf) >= unitsLength || r.err != nil) {
		r.begun = true
		r.wide, r.text = unitsOfStream(r.buf), nil
		r.widen()
	}
	return r.begun
}

// dropLast moves to what follows the part that was returned last.
func (r *Reader) dropLast() {
	if r.lastLength == 0 {
		return
	}
	text := r.lastText()
	r.line += line(text, len(text)) - 1
	r.offset += int64(r.lastLength)
	r.buf = r.buf[r.lastLength:]
	r.text = r.text[len(text):]
	r.scan.shift(len(text))
	r.lastLength = 0
}

// lastText returns the text of the part that was returned last.
func (r *Reader) lastText() []byte { return r.text[:r.lastLength/r.width()] }

// lastIsCut reports whether the stream broke off within the part that was returned last.
func (r *Reader) lastIsCut() bool {
	return r.err != nil && r.err != io.EOF && r.lastLength == len(r.buf)
}

// lastIsBlank reports whether the part that was returned last holds only framing.
func (r *Reader) lastIsBlank() bool {
	return r.lastLength%r.width() == 0 && leadingFrame(r.lastText()) == len(r.lastText())
}

func (r *Reader) tell(n Notice) {
	if r.Tell != nil {
		r.Tell(n)
	}
}

// tellPart calls Tell for a part if necessary, and returns the part with its doubt.
func (r *Reader) tellPart(p Part) Part {
	text := r.lastText()
	place := placesIn(text, p.Line)
	for _, at := range r.scan.lookalikes {
		r.tell(Notice{Lookalike, p.Offset + int64(r.width()*at), place(at), 0})
	}
	at := r.scan.doubt
	if glued := r.scan.glued(text); glued >= 0 {
		at, r.scan.alone = glued, true
	}
	if at < 0 && r.lastIsCut() {
		at = len(text)
	}
	if at >= 0 && p.Kind == Single {
		p.Doubt = &ParseError{Code: "unsure", Line: place(at), Offset: int(p.Offset) + r.width()*at, Err: ErrUnsure}
		r.tell(Notice{Unsure, int64(p.Doubt.Offset), p.Doubt.Line, 0})
	}
	switch {
	case p.Kind == Opening || p.Kind == Closing:
		r.tell(Notice{Envelope, p.Offset, p.Line, len(p.Data)})
	case p.Kind == Other && r.lastIsBlank():
		r.tell(Notice{Blank, p.Offset, p.Line, len(p.Data)})
	case p.Kind == Other:
		r.tell(Notice{Outside, p.Offset, p.Line + line(text, leadingFrame(text)) - 1, len(p.Data)})
	}
	return p
}

// placesIn returns a function that returns the lines of growing offsets in a text whose
// first line has the given number.
func placesIn(text []byte, first int) func(at int) int {
	passed := 0
	return func(at int) int {
		if at > passed {
			first += line(text[passed:], at-passed) - 1
			passed = at
		}
		return first
	}
}

// fill reads more into the buffer. It moves the content to the front of the memory if
// that makes room.
func (r *Reader) fill() {
	n := len(r.buf)
	r.scan.more(len(r.text))
	if cap(r.buf)-n < readSize {
		if cap(r.memory)-n < readSize {
			r.memory = make([]byte, 0, 2*n+readSize)
		}
		r.buf = append(r.memory[:0], r.buf...)
	}
	var read int
	read, r.err = io.ReadAtLeast(r.r, r.buf[n:cap(r.buf)], 1)
	r.buf = r.buf[:n+read]
	r.widen()
}

// widen updates text after a change of buf.
func (r *Reader) widen() {
	if r.wide == nil {
		r.text = r.buf
		return
	}
	if n := len(r.buf) / r.wide.width; cap(r.text) < n {
		if cap(r.narrow) < n {
			r.narrow = make([]byte, 0, 2*n+readSize)
		}
		r.text = append(r.narrow[:0], r.text...)
	}
	r.text = r.wide.appendText(r.text, r.buf)
}

// width returns how many bytes of the stream a character has.
func (r *Reader) width() int {
	if r.wide == nil {
		return 1
	}
	return r.wide.width
}
