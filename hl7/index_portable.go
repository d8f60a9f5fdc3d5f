//go:build !(goexperiment.simd && amd64)

package hl7

// matchWide leaves all blocks to [patterns.match]; index_simd.go has the other one.
func (*patterns) matchWide(index, []byte) (blocks int, beyondASCII bool) { return 0, false }
