//go:build !purego

package hl7

import "golang.org/x/sys/cpu"

// hasVectors reports whether markBlocks may be called. Processors built before 2013 have no AVX2.
func hasVectors() bool { return cpu.X86.HasAVX2 }
