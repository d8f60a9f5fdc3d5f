//go:build !purego && (amd64 || arm64)

package hl7

// A matcher marks a text 32 bytes at a time where the processor can, else as swar does.
type matcher struct {
	classes classes
	swar    swar
}

// classes tell what a byte is by its two halves: the bits that the entries of both have in common.
type classes struct{ low, high [16]uint8 }

// matcherOf returns what marks a text with these delimiters.
func matcherOf(d Delimiters) matcher {
	var c classes
	if !hasVectors {
		return matcher{swar: swarOf(d)}
	}
	for bit, char := range [...]byte{d.Field, d.Component, d.Repetition, d.Subcomponent, d.Escape, '"', '\\'} {
		if char != 0 {
			c.low[char&15] |= 1 << bit
			c.high[char>>4] |= 1 << bit
		}
	}
	for i := range c.low {
		c.low[i] |= 0x80
	}
	c.high[0] |= 0x80 // control characters
	c.high[1] |= 0x80
	return matcher{classes: c}
}

// blocks does what [swar.blocks] does.
func (p *matcher) blocks(m *marks, first int, text []byte) {
	if !hasVectors {
		p.swar.blocks(m, first, text)
	} else if n := len(text) / 64; n > 0 {
		seen := matchAVX2(&m.delimiters[first], &m.special[first], &text[0], n, &p.classes)
		m.beyondASCII = m.beyondASCII || seen
	}
}
