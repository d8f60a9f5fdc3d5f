//go:build !(goexperiment.simd && amd64)

package hl7

// matchWide leaves all blocks to [patterns.match]. The one in index_simd.go does not.
func (*patterns) matchWide(index, []byte) (blocks int, beyondASCII bool) { return 0, false }
