//go:build purego || !(amd64 || arm64)

package hl7

// newMarker returns a marker for messages with these delimiters.
func newMarker(d Delimiters) wordMarker { return newWordMarker(d) }
