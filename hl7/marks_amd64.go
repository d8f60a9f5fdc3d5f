//go:build !purego

package hl7

import "golang.org/x/sys/cpu"

var hasVectors = cpu.X86.HasAVX2

//go:noescape
func matchAVX2(delimiters, special *uint64, text *byte, blocks int, classes *classes) (seen bool)
