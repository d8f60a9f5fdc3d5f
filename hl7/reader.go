package hl7

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
)

// A Reader takes a stream apart into its messages: a file of several, one batch or a
// file of batches (HL7 v2.5.1, 2.10.3), a capture of MLLP frames. It holds one message
// at a time in memory, however long the stream is.
type Reader struct {
	// Limit is the most bytes that one message may have; 256 MiB unless set.
	Limit int

	r    io.Reader
	err  error  // of r, kept until the buffer is used up
	buf  []byte // read, not yet passed; a part of memory
	part int    // length of the part at the front of buf that Next returned
	next breaks // in buf

	memory []byte

	offset int64 // of buf in the stream
	line   int   // of buf in the stream, 1-based
	count  counts
}

// What the reader holds a trailer's count against.
type counts struct{ messages, batches int }

// A Part is a stretch of a stream. All parts in their order are the whole stream, byte
// for byte.
type Part struct {
	Kind   PartKind
	Data   []byte // valid until the next part is read
	Offset int64  // in the stream
	Line   int    // in the stream, 1-based
}

// PartKind says what a [Part] begins with.
type PartKind int

// The parts of a stream.
const (
	Other   PartKind = iota // what stands before the first segment: blanks, or no HL7 at all
	Single                  // a message: MSH and what follows it
	Opening                 // FHS or BHS
	Closing                 // BTS or FTS
)

const (
	defaultLimit = 256 << 20
	readSize     = 256 << 10
)

// NewReader returns a Reader of the messages in r.
func NewReader(r io.Reader) *Reader {
	return &Reader{Limit: defaultLimit, r: r, line: 1, next: newBreaks()}
}

// InputOffset returns how many bytes of the stream the parts returned so far make up.
func (r *Reader) InputOffset() int64 { return r.offset + int64(r.part) }

// Messages returns an iterator over the messages. The message is the same one each
// time, parsed anew. What cannot be parsed comes as a [*ParseError] whose place is that
// in the stream, and the iteration goes on behind it; so do counts in BTS-1 and FTS-1
// that disagree with what was there ([ErrCount]). An error of the stream itself ends it,
// and so does a message over the limit.
func (r *Reader) Messages() iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		var m Message
		for {
			p, err := r.Next()
			if err == io.EOF {
				return
			}
			goOn := err == nil // else the stream itself is at its end
			if err == nil {
				err = r.take(&m, p)
			}
			switch {
			case err != nil:
				if !yield(nil, placed(err, p)) || !goOn {
					return
				}
			case p.Kind == Single:
				if !yield(&m, nil) {
					return
				}
			}
		}
	}
}

// placed moves the place of an error from the part to the stream.
func placed(err error, p Part) error {
	var e *ParseError
	if errors.As(err, &e) && p.Line > 0 {
		e.Line += p.Line - 1
		e.Offset += int(p.Offset)
	}
	return err
}

// take parses a message and counts; other parts it only checks.
func (r *Reader) take(m *Message, p Part) error {
	switch p.Kind {
	case Single:
		r.count.messages++
		return m.Parse(p.Data)
	case Opening:
		r.count.messages = 0
	case Closing:
		return r.checkCount(p)
	case Other:
		if err := m.Parse(p.Data); !errors.Is(err, ErrEmpty) {
			return err // which there is: what can be parsed is a message
		}
	}
	return nil
}

// checkCount holds BTS-1, the number of messages in the batch, or FTS-1, the number of
// batches in the file, against what came (HL7 v2.5.1, 2.15.3.1 and 2.15.7.1). Both are
// optional.
func (r *Reader) checkCount(p Part) error {
	at := leadingFrame(p.Data)
	segment := p.Data[at:]
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
	return &ParseError{Code: code, Line: line(p.Data, at), Path: name + "-1", Offset: at + 4, Err: ErrCount}
}

// Next returns the next part of the stream, and [io.EOF] after the last one.
func (r *Reader) Next() (Part, error) {
	r.line += line(r.buf[:r.part], r.part) - 1
	r.offset += int64(r.part)
	r.buf = r.buf[r.part:]
	r.next.shift(r.part)
	r.part = 0
	from := 0
	for {
		next, looked := r.nextPart(from)
		if next < 0 && r.err != nil {
			next = len(r.buf)
		}
		if next > r.Limit || next < 0 && len(r.buf) > r.Limit {
			return Part{}, &ParseError{Code: "too-large", Line: r.line, Offset: int(r.offset), Err: ErrTooLarge}
		}
		switch {
		case next > 0:
			r.part = next
			return Part{Kind: kindOf(r.buf[:next]), Data: r.buf[:next:next], Offset: r.offset, Line: r.line}, nil
		case r.err != nil:
			return Part{}, r.err
		}
		from = looked
		r.fill()
	}
}

// fill reads more into the buffer, moved to the front of its memory where that makes room.
func (r *Reader) fill() {
	n := len(r.buf)
	r.next.more(n)
	if cap(r.buf)-n < readSize {
		if cap(r.memory)-n < readSize {
			r.memory = make([]byte, 0, 2*n+readSize)
		}
		r.buf = append(r.memory[:0], r.buf...)
	}
	var read int
	read, r.err = io.ReadAtLeast(r.r, r.buf[n:cap(r.buf)], 1)
	r.buf = r.buf[:n+read]
}

// nextPart returns where the second part of the buffer begins, or -1 and how far it has
// looked. A part begins with a line, or with an MLLP frame wherever that is.
func (r *Reader) nextPart(from int) (next, looked int) {
	for at := from; ; {
		at = r.next.find(r.buf, at)
		if at == len(r.buf) {
			return -1, at
		}
		begin, name := at+1, at+1
		if r.buf[at] == vt {
			begin = at
		}
		name += indent(r.buf[name:])
		if len(r.buf)-name < 4 && r.err == nil {
			return -1, at // there is more to come
		}
		_, isBoundary := boundary(r.buf[name:])
		if isBoundary && leadingFrame(r.buf[:begin]) < begin {
			return begin, begin
		}
		at = name
	}
}

// indent is the length of what may stand before a segment on its line.
func indent(text []byte) int {
	rest := bytes.TrimLeft(text, " \t")
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(bom)), " \t")
	return len(text) - len(rest)
}

// kindOf tells what a part begins with. A stream in UTF-16 or UTF-32 is one message.
func kindOf(part []byte) PartKind {
	if _, e := wide(part); e != nil {
		return Single
	}
	name, _ := boundary(part[leadingFrame(part):])
	switch name {
	case "MSH":
		return Single
	case "FHS", "BHS":
		return Opening
	case "BTS", "FTS":
		return Closing
	}
	return Other
}
