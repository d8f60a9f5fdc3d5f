//go:build !purego && (amd64 || arm64)

package hl7

// A marker uses the processor's vector instructions, or a [wordMarker] if there are none.
type marker struct {
	words   wordMarker
	vectors vectorMarker
}

// A vectorMarker has an entry for each value of a byte's low four bits, and one for each
// value of its high four bits. A byte's two entries are ANDed: what they have in common
// says what the byte is. Bits 0 to 3 are the delimiters, bits 4 to 6 the special bytes, one
// bit for each, so that no other byte has the same bit in both entries. Bit 7 is for all
// control characters.
type vectorMarker struct{ low, high [16]uint8 }

// newMarker returns a marker for messages with these delimiters.
func newMarker(d Delimiters) marker {
	if !hasVectors() {
		return marker{words: newWordMarker(d)}
	}
	return marker{vectors: newVectorMarker(d)}
}

func newVectorMarker(d Delimiters) (v vectorMarker) {
	for bit, c := range [...]byte{d.Field, d.Component, d.Repetition, d.Subcomponent, d.Escape, '"', '\\'} {
		if c != 0 {
			v.low[c&15] |= 1 << bit
			v.high[c>>4] |= 1 << bit
		}
	}
	for i := range v.low {
		v.low[i] |= 1 << 7
	}
	v.high[0] |= 1 << 7
	v.high[1] |= 1 << 7
	return v
}

// mark does what [wordMarker.mark] does.
func (m *marker) mark(delimiters, special index, text []byte) (beyondASCII bool) {
	n := len(text) / 64
	switch {
	case n == 0:
		return false
	case !hasVectors():
		return m.words.mark(delimiters, special, text)
	}
	return markBlocks(&delimiters[:n][0], &special[:n][0], &text[0], n, &m.vectors)
}

// markBlocks sets n words of both indexes for as many blocks of 64 bytes.
//
//go:noescape
func markBlocks(delimiters, special *uint64, text *byte, n int, v *vectorMarker) (beyondASCII bool)
