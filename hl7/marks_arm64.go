//go:build !purego

package hl7

// hasVectors reports whether markBlocks may be called. Every arm64 processor has its instructions.
func hasVectors() bool { return true }
