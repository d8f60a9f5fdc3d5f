//go:build purego || !(amd64 || arm64)

package hl7

// matcherOf returns what marks a text with these delimiters.
func matcherOf(d Delimiters) swar { return swarOf(d) }
