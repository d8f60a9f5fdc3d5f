package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Marks say which bytes of a text are delimiters and which are special. Parsing keeps
// nothing but them and the segments: paths, JSON and edits go from mark to mark. One pass
// over the text sets them. It is the only one that looks at every byte.
type marks struct {
	delimiters  index // the message's own
	special     index // control characters, quotation marks, backslashes, and the message's escape character
	beyondASCII bool  // whether there is a byte above 0x7f
}

// An index has a bit for each byte of a text: bit i%64 of word i/64 is set if byte i is
// one of those looked for. It has a word for the offset at the end of the text, too.
type index []uint64

// set marks text. It reuses m's memory if that is large enough.
func (m *marks) set(text []byte, d Delimiters) {
	n := wordsOf(len(text))
	m.delimiters = slices.Grow(m.delimiters[:0], n)[:n]
	m.special = slices.Grow(m.special[:0], n)[:n]
	m.fill(text, d)
}

// wordsOf returns the length of an index of n bytes.
func wordsOf(n int) int { return n/64 + 1 }

// fill is set for a m whose indexes have the right length.
func (m *marks) fill(text []byte, d Delimiters) {
	marker, whole, last := newMarker(d), len(text)&^63, len(text)/64
	var rest [64]byte
	for i := copy(rest[:], text[whole:]); i < len(rest); i++ {
		rest[i] = ' ' // which is not marked
	}
	seen := marker.mark(m.delimiters, m.special, text[:whole])
	m.beyondASCII = marker.mark(m.delimiters[last:], m.special[last:], rest[:]) || seen
}

// A wordMarker compares eight bytes at once within a 64-bit word: for a byte b below 0x80
// and a byte c that is looked for, (b xor c) + 0x7f has its top bit clear only if b equals
// c, and never carries into the next byte. The results for all c are ANDed; a clear top
// bit then marks the byte. One multiplication collects the eight top bits in a byte, and
// eight of these make a word of the index.
type wordMarker struct {
	field, component, repetition, subcomponent, escape uint64 // the byte, eight times
}

const (
	each   = 0x0101010101010101 // times b: b in each byte of a word
	low7   = 0x7f * each
	top    = 0x80 * each
	gather = 0x0102040810204080 // times a word of bits 0, 8, 16 …: these side by side in the top byte
)

func newWordMarker(d Delimiters) wordMarker {
	word := func(c, otherwise byte) uint64 {
		if c == 0 {
			c = otherwise // a role that the message does not use finds nothing new
		}
		return each * uint64(c)
	}
	return wordMarker{
		field:        word(d.Field, 0),
		component:    word(d.Component, d.Field),
		repetition:   word(d.Repetition, d.Field),
		subcomponent: word(d.Subcomponent, d.Field),
		escape:       word(d.Escape, '\\'),
	}
}

// mark sets a word of both indexes for each 64 bytes of text. The text's length must be a
// multiple of 64. mark reports whether the text has a byte above 0x7f.
func (w *wordMarker) mark(delimiters, special index, text []byte) (beyondASCII bool) {
	field, component, repetition, subcomponent, escape := w.field, w.component, w.repetition, w.subcomponent, w.escape
	var all uint64
	for n := range len(text) / 64 {
		block := (*[64]byte)(text[64*n:])
		var d, s uint64
		for i := 0; i < 64; i += 8 {
			w := binary.LittleEndian.Uint64(block[i : i+8])
			b := w & low7
			miss := ((b ^ field) + low7) & ((b ^ component) + low7) & ((b ^ repetition) + low7) & ((b ^ subcomponent) + low7)
			d = d>>8 | (^(miss|w)&top>>7)*gather&(0xff<<56)
			miss = ((b ^ '"'*each) + low7) & ((b ^ '\\'*each) + low7) & ((b ^ escape) + low7) & (b&(0x60*each) + low7)
			s = s>>8 | (^(miss|w)&top>>7)*gather&(0xff<<56)
			all |= w
		}
		delimiters[n], special[n] = d, s
	}
	return all&top != 0
}

// A cursor goes through an index.
type cursor struct {
	x     index
	block int
	word  uint64 // x[block] without the bits already passed
}

// from returns a cursor at an offset, which may be the end of the text.
func (x index) from(at int) cursor {
	block := at / 64
	return cursor{x, block, x[block] & (^uint64(0) << (at % 64))}
}

// next returns the offset of the next delimiter before end, or end, and moves past it. end
// may be the end of the text.
func (c *cursor) next(end int) int {
	for c.word == 0 {
		c.block++
		if c.block*64 >= end {
			return end
		}
		c.word = c.x[c.block]
	}
	at := c.block*64 + bits.TrailingZeros64(c.word)
	c.word &= c.word - 1
	return min(at, end)
}
