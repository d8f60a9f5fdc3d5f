package view

import (
	"bytes"
	"errors"
	"iter"
	"strings"

	"hl7lake/hl7"
)

// Fault is why bytes are not a message, and where. It holds no content.
type Fault struct {
	Code    string `json:"code"`              // hl7.ParseError.Code, or charset
	Line    int    `json:"line"`              // the index of the line; lines are counted from 0
	Segment int    `json:"segment,omitempty"` // counted from 1; 0 if there is none
	Path    string `json:"path,omitempty"`    // such as MSH-2
	Offset  int    `json:"offset"`            // in bytes from the start
	Text    string `json:"text"`              // for a person
}

// Line is a line of bytes that are not a message.
type Line struct {
	Index  int    `json:"index"`
	Text   string `json:"text"`             // its first maxLeaf bytes; U+FFFD stands for bytes that are not UTF-8
	Folded int    `json:"folded,omitempty"` // how many bytes are left out
}

// OfText returns the page of bytes that are not a message that begins at the line with
// the index from. err says why they are none: it is an error of hl7.Message's Parse,
// ParseAs or ParseIn.
func OfText(data []byte, err error, from int) View {
	v := View{Type: hl7.UnknownType, Bytes: len(data), From: from, Findings: []Finding{}, Fault: faultOf(err)}
	if answer, failed := hl7.Reply(data, hl7.NewAck(hl7.ApplicationError, hl7.ProblemOf(err))); failed == nil {
		v.Ack = linesOf(answer)
	}
	b := builder{room: maxSize}
	for line := range linesIn(data) {
		if v.Total++; v.Total <= from || v.Next > 0 {
			continue
		}
		out := Line{Index: v.Total - 1}
		out.Text, out.Folded = foldLine(line)
		b.spend(segmentSize, out.Text)
		if len(v.Lines) == maxSegments || b.room < 0 && len(v.Lines) > 0 {
			v.Next = out.Index
			continue
		}
		v.Lines = append(v.Lines, out)
	}
	return v
}

func faultOf(err error) *Fault {
	if refused, ok := errors.AsType[*hl7.ParseError](err); ok {
		return &Fault{refused.Code, max(refused.Line-1, 0), refused.Segment, refused.Path, refused.Offset, refused.Err.Error()}
	}
	return &Fault{Code: "charset", Text: hl7.ErrCharset.Error()}
}

// foldLine is fold for a line that may not be UTF-8.
func foldLine(line []byte) (text string, folded int) {
	text, folded = fold(line, maxLeaf)
	return strings.ToValidUTF8(text, replacement), folded
}

// replacement stands for bytes that are not UTF-8.
const replacement = "\ufffd"

// linesIn returns an iterator over the lines of a text, which end at CR, LF or both, as
// an editor counts them. What follows the last end is a line unless it is empty.
func linesIn(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			end := bytes.IndexAny(data, "\r\n")
			if end < 0 {
				yield(data)
				return
			}
			if !yield(data[:end]) {
				return
			}
			if bytes.HasPrefix(data[end:], []byte("\r\n")) {
				end++
			}
			data = data[end+1:]
		}
	}
}
