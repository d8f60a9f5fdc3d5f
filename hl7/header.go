package hl7

import (
	"bytes"
	"strings"
)

// What the first segment says about the rest of the message.
type header struct {
	start      int // of "MSH" in the text
	body       int // of the field separator after MSH-2
	delimiters Delimiters
	lfIsData   bool // CR ends segments here
}

const (
	vt  = 0x0b // begins an MLLP frame
	fs  = 0x1c // with a CR, ends it
	esc = 0x1b // switches the character set in ISO 2022
	bom = "\ufeff"
)

// readHeader reads MSH-1 and MSH-2 (HL7 v2.5.1, 2.15.9.1 and 2.15.9.2).
func readHeader(text []byte) (header, error) {
	h := header{start: leadingFrame(text)}
	msh := text[h.start:]
	fail := func(code, path string, offset int, err error) (header, error) {
		at := h.start + offset
		return header{}, &ParseError{Code: code, Line: line(text, at), Segment: 1, Path: path, Offset: at, Err: err}
	}
	if len(msh) == 0 {
		return fail("empty", "", 0, ErrEmpty)
	}
	if name, mark := markOf(msh, 0); mark != plain && name != "MSH" {
		return fail("batch", name, 0, ErrSeveralMessages)
	}
	if !bytes.HasPrefix(msh, []byte("MSH")) || len(msh) > 3 && isAlphanumeric(msh[3]) {
		return fail("no-header", "", 0, ErrNoHeader)
	}
	end, limit := 3, min(len(msh), len("MSH|^~\\&#|")+64)
	for end < limit && !isLineEnd(msh[end]) && (end == 3 || msh[end] != msh[3]) {
		end++
	}
	separated := end > 3 && end < limit && msh[end] == msh[3]
	if !separated && end < len("MSH|^") {
		return fail("truncated-header", "MSH-2", end, ErrTruncatedHeader)
	}
	if !canDelimit(msh[3]) {
		return fail("bad-delimiters", "MSH-1", 3, ErrDelimiters)
	}
	h.delimiters.Field = msh[3]
	if !separated {
		return fail("truncated-header", "MSH-3", end, ErrTruncatedHeader)
	}
	if !h.delimiters.setEncodingCharacters(msh[4:end]) {
		return fail("bad-delimiters", "MSH-2", 4, ErrDelimiters)
	}
	h.body = h.start + end
	h.lfIsData = lfIsData(text[h.body:], h.delimiters.Field)
	return h, nil
}

// leadingFrame returns the length of what may stand before the first segment: spaces,
// line ends, framing, NUL and byte order marks.
func leadingFrame(text []byte) int {
	n := 0
	for n < len(text) {
		if bytes.HasPrefix(text[n:], []byte(bom)) {
			n += len(bom)
		} else if c := text[n]; c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == vt || c == fs || c == 0 {
			n++
		} else {
			break
		}
	}
	return n
}

// afterMessage are the bytes that separate messages and belong to none.
const afterMessage = "\r\n\x1c\x00"

// trailingFrame returns the length of an MLLP frame's end at the end of text, or of the
// NUL that some senders put after a message. A NUL before a line end is part of a value.
func trailingFrame(text []byte) int {
	last := len(text)
	for last > 0 && strings.IndexByte(afterMessage, text[last-1]) >= 0 {
		last--
	}
	rest := text[last:]
	value := 0
	for value < len(rest) && rest[value] == 0 {
		value++
	}
	if value == len(rest) {
		return len(rest)
	}
	if n := bytes.IndexAny(rest[value:], "\x1c\x00"); n >= 0 {
		return len(rest) - value - n
	}
	return 0
}

// outsideFrame returns an error if text, in which the first segment begins at start, is
// an MLLP frame that ends before text does (HL7 Transport Specification: MLLP, 2). If
// another frame or header follows, that is left to the caller.
func outsideFrame(text []byte, start int) error {
	if bytes.IndexByte(text[:start], vt) < 0 {
		return nil
	}
	_, after, ended := bytes.Cut(text[start:], []byte{fs, '\r'})
	if !ended {
		return nil
	}
	next := len(text) - len(after) + leadingFrame(after)
	if _, mark := markOf(text[next:], 0); mark == plain && next < len(text) {
		return &ParseError{Code: "outside", Line: line(text, next), Offset: next, Err: ErrOutside}
	}
	return nil
}

// lfIsData reports whether only CR ends segments in a text that begins with the rest of
// an MSH segment: it has a CR, and no LF before it that is followed by a segment or
// another line end.
func lfIsData(text []byte, separator byte) bool {
	cr := bytes.IndexByte(text, '\r')
	for i := 0; i < cr; i++ {
		lf := bytes.IndexByte(text[i:cr], '\n')
		if lf < 0 {
			break
		}
		i += lf
		next := bytes.TrimLeft(text[i+1:], " \t")
		if next[0] == '\r' || next[0] == '\n' || hasSegmentName(next, separator) {
			return false
		}
	}
	return cr >= 0
}

// endsSegment reports whether the CR or LF at text[at], which is not the first byte, ends
// a segment.
func (h *header) endsSegment(text []byte, at int) bool {
	switch text[at] {
	case '\r':
		return true
	case '\n':
		return !h.lfIsData || text[at-1] == '\r' || h.beginsSegment(text[at+1:])
	}
	return false
}

// beforeLineFeed returns a segment without a line feed at its end that belongs to its
// terminator. Spaces after the line feed are ignored.
func beforeLineFeed(segment []byte) []byte {
	n := len(segment)
	if n == 0 || segment[n-1] > ' ' {
		return segment
	}
	n = len(bytes.TrimRight(segment, " \t\n"))
	if lf := bytes.IndexByte(segment[n:], '\n'); lf >= 0 {
		return segment[:n+lf]
	}
	return segment
}

// beginsSegment reports whether a segment follows a line feed that may be part of a
// value.
func (h *header) beginsSegment(text []byte) bool {
	if !hasStandardName(text, h.delimiters.Field) {
		return false
	}
	_, mark := markOf(text, h.delimiters.Field)
	return mark != broken
}

// hasSegmentName reports whether text begins like a segment: three capital letters or
// digits, the first a letter, and a field separator (HL7 v2.5.1, 2.5.1).
func hasSegmentName(text []byte, separator byte) bool {
	if len(text) < 4 || text[3] != separator || text[0] < 'A' {
		return false
	}
	for _, c := range text[:3] {
		if !isAlphanumeric(c) || c >= 'a' {
			return false
		}
	}
	return true
}

// hasStandardName is stricter: the name must be one of HL7's segments. Words of three
// capital letters are frequent at the start of a line of text.
func hasStandardName(text []byte, separator byte) bool {
	return hasSegmentName(text, separator) && strings.Contains(standardSegments, " "+string(text[:3])+" ")
}

// The names of all segments of HL7 v2.1 to v2.8.2.
const standardSegments = " ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI CDM CDO CER CM0 " +
	"CM1 CM2 CNS CON CSP CSR CSS CTD CTI CTR DB1 DEV DG1 DMI DON DRG DSC DSP DST ECD ECR EDU EQL EQP EQU ERQ ERR EVN FAC FHS FT1 " +
	"FTS GOL GP1 GP2 GT1 IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH LDP LOC LRL MCP MFA MFE MFI MRG " +
	"MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX ODS ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 OM4 OM5 OM6 OM7 OMC ORC ORG ORO OVR PAC " +
	"PCE PCR PD1 PDA PDC PEO PES PID PKG PM1 PMT PR1 PRA PRB PRC PRD PRT PSG PSH PSL PSS PTH PV1 PV2 PYE QAK QCK QID QPD QRD QRF QRI " +
	"RCP RDF RDT REL RF1 RFI RGS RMI ROL RQ1 RQD RX1 RXA RXC RXD RXE RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT " +
	"SPM SPR STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS VAR VND VTQ "
