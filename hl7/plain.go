package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
)

// Most segments are plain: JSON writes every byte of them as ER7 does. Their values are
// copied without looking at each byte, eight bytes at a time, and so is what stands
// between them. If a store writes too much, the next one overwrites it.

// isPlain reports whether JSON writes no byte of text[start:end] in another form and none
// is the escape character. It reports false for a segment within 16 bytes of the text's
// end, and for messages with an unusual escape character.
func (m *Message) isPlain(start, end int) bool {
	if end+16 > len(m.text) || m.delimiters.Escape != '\\' && m.delimiters.Escape != 0 {
		return false
	}
	all := uint64(top) // the top bit of each byte is clear if it is one of these: see index.go
	for text := m.text[start:end:len(m.text)]; ; text = text[8:] {
		w := binary.LittleEndian.Uint64(text[:8])
		b := w & low7
		w |= ((b ^ '"'*each) + low7) & ((b ^ '\\'*each) + low7) & (b&(0x60*each) + low7)
		if len(text) <= 8 {
			return all&(w|^uint64(0)<<(8*len(text)))&top == top
		}
		all &= w
	}
}

// mostBetween is more than the longest text that stands between two values for one
// delimiter between them: `"}],"<field>":[{"<component>.<sub-component>":"`.
const mostBetween = 80

// The texts between values as words, with zeros in place of the digits, lowest byte
// first.
const (
	nextComponent  = '"' | ','<<8 | '"'<<16 | '"'<<32 | ':'<<40 | '"'<<48 // ","c":"
	nextRepetition = '"' | '}'<<8 | ','<<16 | '{'<<24 | '"'<<32 | '"'<<48 | ':'<<56
	nextField      = '"' | '}'<<8 | ']'<<16 | ','<<24 | '"'<<32
	ofOneDigit     = '"'<<48 | ':'<<56                                              // after one digit
	ofTwoDigits    = '"' << 56                                                      // after two digits
	firstShort     = '[' | '{'<<8 | '"'<<16 | '"'<<32 | ':'<<40 | '"'<<48           // [{"c":"
	firstLong      = ':' | '['<<8 | '{'<<16 | '"'<<24 | '"'<<40 | ':'<<48 | '"'<<56 // :[{"c":"
)

// appendPlainFields is appendFields for plain text[start:end].
func (m *Message) appendPlainFields(dst []byte, first, start, end int) []byte {
	dst = slices.Grow(dst, 16+end-start+mostBetween*(2+m.index.count(start, end)))
	out, n, text, d := dst[:cap(dst)], len(dst), m.text, &m.delimiters
	if first > 1 {
		out[n] = ','
		n++
	}
	begun := n
	n -= len(`"}],`) // what would be closed before the first value is replaced below
	before := binary.LittleEndian.Uint32(out[n:])
	here, open := place{first, 1, 1, 1}, place{}
	delimiters := m.index.from(start)
	for {
		at := delimiters.next(end)
		if start < at {
			component := uint64('0' + here.component)
			switch simple := here.subcomponent == 1 && here.component < 10; {
			case simple && open.field == here.field && open.repetition == here.repetition:
				binary.LittleEndian.PutUint64(out[n:], nextComponent|component<<24)
				n += 7
			case simple && open.field == here.field && open.repetition+1 == here.repetition:
				binary.LittleEndian.PutUint64(out[n:], nextRepetition|component<<40)
				out[n+8] = '"'
				n += 9
			case simple && open.field != here.field && here.repetition == 1 && here.field < 10:
				binary.LittleEndian.PutUint64(out[n:], nextField|uint64('0'+here.field)<<40|ofOneDigit)
				binary.LittleEndian.PutUint64(out[n+8:], firstShort|component<<24)
				n += 15
			case simple && open.field != here.field && here.repetition == 1 && here.field < 100:
				tens, ones := uint64('0'+here.field/10), uint64('0'+here.field%10)
				binary.LittleEndian.PutUint64(out[n:], nextField|tens<<40|ones<<48|ofTwoDigits)
				binary.LittleEndian.PutUint64(out[n+8:], firstLong|component<<32)
				n += 16
			default:
				n = putBetween(out, n, open, here)
			}
			if open.field == 0 {
				binary.LittleEndian.PutUint32(out[begun-4:], before)
			}
			from, to := text[start:start+16:len(text)], out[n:n+16] // most values are shorter
			binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(from))
			binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(from[8:]))
			if at-start > 16 {
				copy(out[n:], text[start:at])
			}
			n += at - start
			open = here
		}
		if at >= end {
			break
		}
		start = at + 1
		switch text[at] {
		case d.Component:
			here.component, here.subcomponent = here.component+1, 1
		case d.Field:
			here = place{here.field + 1, 1, 1, 1}
		default:
			here = here.after(text[at], d)
		}
	}
	if open.field == 0 {
		return out[:begun]
	}
	return dst[:n+copy(out[n:], `"}]`)]
}

// putBetween writes at out[n:] what stands between a value at one place and one at the
// next, and returns where it ends.
func putBetween(out []byte, n int, open, here place) int {
	b := append(out[:n], '"')
	repetition := open.repetition
	if open.field != here.field {
		b = append(b, `}],"`...)
		b = strconv.AppendInt(b, int64(here.field), 10)
		b = append(b, `":[{`...)
		repetition = 1
	}
	for range here.repetition - repetition {
		b = append(b, "},{"...)
	}
	if open.field == here.field && open.repetition == here.repetition {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = strconv.AppendInt(b, int64(here.component), 10)
	if here.subcomponent > 1 {
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(here.subcomponent), 10)
	}
	return len(append(b, `":"`...))
}

// count returns how many delimiters there are between two offsets, or a few more.
func (x index) count(start, end int) (n int) {
	for _, word := range x[start/64 : min(end/64+1, len(x))] {
		n += bits.OnesCount64(word)
	}
	return n
}
