package hl7

import (
	"bytes"
	"strings"
)

// A scan finds where the parts of a stream end. It looks at each byte a bounded number of
// times, in whatever pieces the stream comes.
type scan struct {
	cr, lf, vt, nul, fs ahead

	separator byte // of the last header; 0 before the first
	inFrame   bool // an MLLP frame has begun and not ended
	unsure    bool // it is not certain where this part begins

	sight
}

// A sight is what is known about the part at the front of the text.
type sight struct {
	kind  PartKind
	begun bool // kind is known
	at    int  // what has been looked at
	name  int  // after the spaces that follow text[at]
	lines bool // its first line has ended,
	cr    bool // at a CR, so that a single LF is data (see lfIsData)
	ended bool // its frame has ended, and at is after that

	lookalikes []int // where lines begin that only look like headers or trailers
	doubt      int   // from where on it is not certain what it is; -1 if it is certain
	alone      bool  // and no other error will report that
	start      int   // where its first segment begins
}

func newScan() scan {
	return scan{
		cr: aheadOf('\r'), lf: aheadOf('\n'), vt: aheadOf(vt), nul: aheadOf(0), fs: aheadOf(fs),
		sight: sight{doubt: -1},
	}
}

func (s *scan) all() [5]*ahead { return [...]*ahead{&s.cr, &s.lf, &s.vt, &s.nul, &s.fs} }

// find returns where the next part or line may begin: at a line end, NUL or framing.
func (s *scan) find(text []byte, from int) int {
	return min(s.cr.find(text, from), s.lf.find(text, from), s.vt.find(text, from), s.nul.find(text, from), s.fs.find(text, from))
}

// shift adapts to a text that loses its first part, of n bytes.
func (s *scan) shift(n int) {
	for _, a := range s.all() {
		a.at, a.none = max(a.at-n, -1), max(a.none-n, 0)
	}
	s.sight = sight{lookalikes: s.lookalikes[:0], doubt: -1}
}

// more adapts to a text that had n bytes and will grow.
func (s *scan) more(n int) {
	for _, a := range s.all() {
		if a.at == n {
			a.at, a.none = -1, n
		}
	}
}

// next returns where the first part of text ends, or -1 if more of the text is needed to
// know. whole says that there is no more.
func (s *scan) next(text []byte, whole bool) int {
	if !s.begun && !s.begin(text, whole) {
		return -1
	}
	for !s.ended {
		pos := s.find(text, s.at)
		s.at = pos
		if pos == len(text) {
			return s.last(text, whole)
		}
		if text[pos] == fs && pos+1 == len(text) && !whole {
			return -1
		}
		if text[pos] == fs && (pos+1 == len(text) || isFraming(text[pos+1])) {
			s.ended, s.at = true, pos+1
			break
		}
		if !s.look(text, pos+1, whole) {
			return -1
		}
		if s.divides(text, pos) {
			if text[pos] == vt {
				s.checkFrame(pos)
				return pos
			}
			return pos + 1
		}
		s.at = s.name
	}
	return s.afterFrame(text, whole)
}

// look goes over the spaces from an offset on. It reports whether the text is long enough
// to tell what follows them.
func (s *scan) look(text []byte, from int, whole bool) bool {
	s.name = max(s.name, from)
	s.name += indent(text[s.name:])
	return whole || len(text)-s.name >= markLength
}

// begin finds out what the part is. It reports whether the text was long enough for that.
func (s *scan) begin(text []byte, whole bool) bool {
	s.at += leadingFrame(text[s.at:])
	if !whole && len(text)-s.at < markLength {
		return false
	}
	s.begun, s.name, s.start = true, s.at, s.at
	front := text[:s.at]
	if begin := bytes.LastIndexByte(front, vt); begin >= 0 {
		s.inFrame = bytes.IndexByte(front[begin:], fs) < 0
	}
	name, mark := markOf(text[s.at:], s.separator)
	switch {
	case mark == opens && name == "MSH":
		s.kind = Single
	case mark == opens:
		s.kind = Opening
	case mark == closes:
		s.kind = Closing
	case mark == broken && name == "MSH":
		s.kind = Single
		if s.unsure {
			s.doubt = s.at
		}
	}
	s.unsure = false
	if mark == opens {
		s.separator = text[s.at+3]
	}
	return true
}

// divides reports whether a part begins at text[pos] or after it, where a line or a frame
// begins.
func (s *scan) divides(text []byte, pos int) bool {
	c, rest := text[pos], text[s.name:]
	lineEnd := isLineEnd(c)
	if lineEnd && !s.lines {
		s.lines, s.sight.cr = true, c == '\r'
	}
	bare := c == '\n' && s.sight.cr && text[pos-1] != '\r'
	_, mark := markOf(rest, s.separator)
	switch {
	case mark == opens:
		return true
	case mark == closes && c != vt && (!bare || len(rest) > 3 && rest[3] >= ' '):
		return true
	case mark == broken && !bare && (lineEnd || c == vt):
		if s.unsure = s.kind == Single; s.unsure {
			s.doubt = s.name
		}
		return true
	case s.kind == Opening || s.kind == Closing:
		return s.lines && len(rest) > 0 && !isFraming(rest[0])
	case mark != plain && lineEnd && s.kind == Single:
		s.lookalikes = append(s.lookalikes, s.name)
	}
	return false
}

// afterFrame ends the part after the end of its frame and what may follow that.
func (s *scan) afterFrame(text []byte, whole bool) int {
	for s.at < len(text) && strings.IndexByte(afterMessage, text[s.at]) >= 0 {
		s.at++
	}
	if s.at == len(text) {
		return s.last(text, whole)
	}
	if !s.look(text, s.at, whole) {
		return -1
	}
	_, mark := markOf(text[s.name:], s.separator)
	stray := s.name < len(text) && text[s.name] != vt && mark != opens && mark != closes
	if stray && !s.inFrame && s.doubt < 0 {
		s.doubt = s.at
	}
	s.inFrame = false
	return s.at
}

// last ends the last part at the end of the text, if the text is whole.
func (s *scan) last(text []byte, whole bool) int {
	if !whole {
		return -1
	}
	if !s.ended {
		s.checkFrame(len(text))
	}
	s.inFrame = false
	return len(text)
}

// checkFrame handles a part that ends before its frame does.
func (s *scan) checkFrame(at int) {
	if s.inFrame && s.kind == Single && s.doubt < 0 {
		s.doubt, s.alone = at, true
	}
}

// glued returns where in a message a header with the same delimiters directly follows
// another character, or -1. A header after a space, a quotation mark or an opening
// bracket is quoted by a text.
func (s *scan) glued(message []byte) int {
	if s.kind != Single {
		return -1
	}
	first := message[s.start:]
	end := bytes.IndexByte(first[4:min(len(first), markLength)], first[3])
	if end < 0 {
		return -1
	}
	header := first[:4+end+1]
	for at := s.start + len(header); ; at += len(header) {
		n := bytes.Index(message[at:], header)
		if n < 0 {
			return -1
		}
		at += n
		if before := message[at-1]; before > ' ' && strings.IndexByte("\"'`(<[{", before) < 0 {
			return at
		}
	}
}

// isFraming reports whether c does not belong to a message after the end of a line.
func isFraming(c byte) bool { return isLineEnd(c) || c == vt || c == fs || c == 0 }

// indent returns the length of what may stand before a segment on its line.
func indent(text []byte) int {
	if len(text) > 0 && text[0] > ' ' && text[0] != bom[0] {
		return 0
	}
	rest := bytes.TrimLeft(text, " \t")
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(bom)), " \t")
	return len(text) - len(rest)
}
