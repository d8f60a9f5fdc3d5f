package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// An index has a bit for each byte of a text: bit i%64 of word i/64 is set if byte i is
// one of the message's delimiters. Parsing leaves nothing else behind. Paths, JSON and
// edits go from set bit to set bit.
type index []uint64

// The hot loop. It compares eight bytes at once within a 64-bit word: for a byte b below
// 0x80 and a delimiter d, (b xor d) + 0x7f has its top bit clear only if b equals d, and
// never carries into the next byte. The results for the four delimiters are ANDed; a
// clear top bit then marks a delimiter. One multiplication collects the eight top bits in
// a byte, and eight of these make a word of the index.

const (
	each   = 0x0101010101010101 // times b: b in each byte of a word
	low7   = 0x7f * each
	top    = 0x80 * each
	gather = 0x0102040810204080 // times a word of bits 0, 8, 16 …: these side by side in the top byte
)

// build returns the index of text, in x's memory if that is large enough, and whether
// text holds a byte above 0x7f.
func (x index) build(text []byte, d Delimiters) (index, bool) {
	n := (len(text) + 63) / 64
	x = slices.Grow(x[:0], n)[:n]
	p := patternsOf(d)
	done, beyondASCII := p.matchWide(x, text)
	text = text[64*done:]
	var all, seen uint64
	for i := done; i < n; i++ {
		if len(text) >= 64 {
			x[i], seen = p.match((*[64]byte)(text))
			text = text[64:]
		} else {
			var last [64]byte // zeros, which delimit nothing
			copy(last[:], text)
			x[i], seen = p.match(&last)
		}
		all |= seen
	}
	return x, beyondASCII || all&top != 0
}

// patterns hold each delimiter in all eight bytes of a word.
type patterns struct {
	field, component, repetition, subcomponent uint64
}

func patternsOf(d Delimiters) patterns {
	word := func(c byte) uint64 {
		if c == 0 {
			c = d.Field // a role that the message does not use finds nothing new
		}
		return each * uint64(c)
	}
	return patterns{word(d.Field), word(d.Component), word(d.Repetition), word(d.Subcomponent)}
}

// match returns a bit for each byte of the block that is a delimiter, and all words of
// the block ORed together.
func (p *patterns) match(block *[64]byte) (mask, seen uint64) {
	field, component, repetition, subcomponent := p.field, p.component, p.repetition, p.subcomponent
	for i := 0; i < 64; i += 8 {
		w := binary.LittleEndian.Uint64(block[i : i+8])
		b := w & low7
		miss := ((b ^ field) + low7) & ((b ^ component) + low7) & ((b ^ repetition) + low7) & ((b ^ subcomponent) + low7)
		hits := ^(miss | w) & top
		mask = mask>>8 | (hits>>7)*gather&(0xff<<56)
		seen |= w
	}
	return mask, seen
}

// A cursor goes through an index.
type cursor struct {
	x     index
	block int
	word  uint64 // x[block] without the bits already passed
}

// from returns a cursor at an offset.
func (x index) from(at int) cursor {
	block := at / 64
	if block >= len(x) {
		return cursor{}
	}
	return cursor{x, block, x[block] & (^uint64(0) << (at % 64))}
}

// next returns the offset of the next delimiter before end, or end, and moves past it.
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
