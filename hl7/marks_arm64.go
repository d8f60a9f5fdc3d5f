//go:build !purego

package hl7

// hasVectors reports whether markBlocks may be called: every arm64 processor has what it needs.
func hasVectors() bool { return true }
