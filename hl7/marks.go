package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Marks tell where in a text the bytes are that anybody asks for. They are all that parsing
// leaves behind beside the segments: paths, JSON and edits walk from mark to mark.
type marks struct {
	delimiters  index // the message's own
	special     index // control characters, and what is not itself in JSON or in ER7: quotation marks, backslashes, the escape character
	beyondASCII bool  // whether there is a byte above 0x7f
}

// An index has a bit for each byte of a text: bit i%64 of word i/64 is set where byte i
// is one of those that are looked for.
type index []uint64

// The hot loop. Eight bytes are compared at once inside a 64-bit word: for a byte b
// below 0x80 and a delimiter d, (b xor d) + 0x7f has its top bit clear only where b
// equals d, and never carries into its neighbour. The results for the four delimiters
// are ANDed; a top bit that is then clear marks a hit. One multiplication gathers the
// eight top bits in a byte, and eight words make a word of the index.

const (
	each   = 0x0101010101010101 // times b: b in each byte of a word
	low7   = 0x7f * each
	top    = 0x80 * each
	gather = 0x0102040810204080 // times a word of bits 0, 8, 16 …: these side by side in the top byte
)

// set marks text, in the memory that m has where that suffices.
func (m *marks) set(text []byte, d Delimiters) {
	n := len(text)/64 + 1
	m.delimiters = slices.Grow(m.delimiters[:0], n)[:n]
	m.special = slices.Grow(m.special[:0], n)[:n]
	m.beyondASCII = false
	whole := text[:len(text)&^63]
	match := matcherOf(d)
	match.blocks(m, 0, whole)
	var last [64]byte
	for i := copy(last[:], text[len(whole):]); i < 64; i++ {
		last[i] = ' ' // which is not marked
	}
	match.blocks(m, n-1, last[:])
}

// swar matches eight bytes at a time, by each byte that is looked for in all eight bytes of
// a word.
type swar struct {
	field, component, repetition, subcomponent, escape uint64
}

func swarOf(d Delimiters) swar {
	word := func(c, otherwise byte) uint64 {
		if c == 0 {
			c = otherwise // a role that the message leaves unfilled finds nothing new
		}
		return each * uint64(c)
	}
	return swar{
		word(d.Field, 0), word(d.Component, d.Field), word(d.Repetition, d.Field), word(d.Subcomponent, d.Field), word(d.Escape, '\\'),
	}
}

// blocks marks whole blocks of 64 bytes, the first of which is the text's block of that number.
func (p *swar) blocks(m *marks, first int, text []byte) {
	field, component, repetition, subcomponent, escape := p.field, p.component, p.repetition, p.subcomponent, p.escape
	var all uint64
	for n := first; len(text) >= 64; n++ {
		var delimiters, special uint64
		for i := 0; i < 64; i += 8 {
			w := binary.LittleEndian.Uint64(text[i : i+8])
			b := w & low7
			miss := ((b ^ field) + low7) & ((b ^ component) + low7) & ((b ^ repetition) + low7) & ((b ^ subcomponent) + low7)
			delimiters = delimiters>>8 | (^(miss|w)&top>>7)*gather&(0xff<<56)
			miss = ((b ^ '"'*each) + low7) & ((b ^ '\\'*each) + low7) & ((b ^ escape) + low7) & (b&(0x60*each) + low7)
			special = special>>8 | (^(miss|w)&top>>7)*gather&(0xff<<56)
			all |= w
		}
		m.delimiters[n], m.special[n] = delimiters, special
		text = text[64:]
	}
	m.beyondASCII = m.beyondASCII || all&top != 0
}

// A cursor walks an index.
type cursor struct {
	x     index
	block int
	word  uint64 // x[block] without the bits that were passed
}

// from returns a cursor at an offset.
func (x index) from(at int) cursor {
	block := at / 64
	if block >= len(x) {
		return cursor{}
	}
	return cursor{x, block, x[block] & (^uint64(0) << (at % 64))}
}

// next returns the offset of the next delimiter before end, or end, and passes it.
func (c *cursor) next(end int) int {
	for c.word == 0 {
		c.block++
		if c.block*64 >= end || c.block >= len(c.x) {
			return end
		}
		c.word = c.x[c.block]
	}
	at := c.block*64 + bits.TrailingZeros64(c.word)
	c.word &= c.word - 1
	return min(at, end)
}
