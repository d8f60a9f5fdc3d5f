package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The hot loop. index finds every byte that may delimit something and notes its
// offset, 64 bytes at a time, in three steps:
//
//  1. Compare eight bytes at once inside a 64-bit word. For a byte b below 0x80 and a
//     delimiter p, (b xor p) + 0x7f has its top bit clear only where b equals p, and
//     never carries into its neighbour. The results for several delimiters are ANDed;
//     a top bit that is then clear marks a hit.
//  2. Squeeze the eight top bits together by a multiplication, so that eight words
//     make one 64-bit mask, a bit for each byte.
//  3. Turn the bits of the mask into offsets. Eight are always written, needed or not:
//     a branch for each would cost more than the superfluous stores.
//
// Control characters count as candidates, as CR and LF end segments; the few that are
// data are taken out later (see Message.dropData).

const (
	each   = 0x0101010101010101 // times b: b in each byte of a word
	low7   = 0x7f * each
	top    = 0x80 * each
	gather = 0x0102040810204080 // times a word of bits 0, 8, 16 …: these bits side by side in the top byte
)

// index appends to offsets those of the delimiters and control characters of
// text[from:], and reports whether it holds a byte above 0x7f.
func index(offsets []uint32, text []byte, from int, d Delimiters) (_ []uint32, beyondASCII bool) {
	s := newScanner(d)
	for ; from+64 <= len(text); from += 64 {
		mask := s.mask((*[64]byte)(text[from:]))
		offsets = appendOffsets(offsets, mask, from)
	}
	if rest := len(text) - from; rest > 0 {
		var block [64]byte
		copy(block[:], text[from:])
		mask := s.mask(&block) & (1<<rest - 1)
		offsets = appendOffsets(offsets, mask, from)
	}
	return offsets, s.seen&top != 0
}

// A scanner holds each delimiter in all eight bytes of a word, and all bytes seen ORed together.
type scanner struct {
	field, component, repetition, subcomponent uint64
	seen                                       uint64
}

func newScanner(d Delimiters) scanner {
	word := func(c byte) uint64 {
		if c == 0 {
			c = d.Field // a role that the message leaves unfilled finds nothing new
		}
		return each * uint64(c)
	}
	return scanner{word(d.Field), word(d.Component), word(d.Repetition), word(d.Subcomponent), 0}
}

func (s *scanner) mask(block *[64]byte) (mask uint64) {
	for i := 0; i < 64; i += 8 {
		w := binary.LittleEndian.Uint64(block[i:])
		b := w & low7
		miss := (b ^ s.field + low7) & (b ^ s.component + low7) & (b ^ s.repetition + low7) &
			(b ^ s.subcomponent + low7) & (b&(0x60*each) + low7)
		hits := ^(miss | w) & top
		mask |= hits >> 7 * gather >> 56 << i
		s.seen |= w
	}
	return mask
}

func appendOffsets(offsets []uint32, mask uint64, from int) []uint32 {
	n := len(offsets)
	if cap(offsets)-n < 64 {
		offsets = slices.Grow(offsets, max(64, n))
	}
	out := offsets[n : n+64]
	count := bits.OnesCount64(mask)
	for i := 0; i < count; i += 8 {
		for j := i; j < i+8; j++ {
			out[j] = uint32(from + bits.TrailingZeros64(mask))
			mask &= mask - 1
		}
	}
	return offsets[:n+count]
}
