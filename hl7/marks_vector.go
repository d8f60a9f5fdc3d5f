//go:build !purego && (amd64 || arm64)

package hl7

// A marker marks by the processor's vectors, where it has them, else as a [wordMarker].
type marker struct {
	words   wordMarker
	vectors vectorMarker
}

// A vectorMarker tells what a byte is by its two halves, the lower and the upper four bits: it
// is what the entries for both have in common. Each byte that is looked for has a bit of its
// own there, so that halves of two of them do not make a third: bits 0 to 3 the
// delimiters, 4 to 6 the special bytes; 7 is for all control characters.
type vectorMarker struct{ low, high [16]uint8 }

// newMarker returns what marks the texts of messages with these delimiters.
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
