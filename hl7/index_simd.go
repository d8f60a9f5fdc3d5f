//go:build goexperiment.simd && amd64

package hl7

import "simd/archsimd"

// matchWide does what [patterns.match] does, 32 bytes at a time, for all whole blocks of
// text. It is built with GOEXPERIMENT=simd and used if the processor has AVX2. Otherwise
// it leaves all blocks to match.
func (p *patterns) matchWide(x index, text []byte) (blocks int, beyondASCII bool) {
	if !archsimd.X86.AVX2() {
		return 0, false
	}
	field, component := archsimd.BroadcastUint8x32(uint8(p.field)), archsimd.BroadcastUint8x32(uint8(p.component))
	repetition, subcomponent := archsimd.BroadcastUint8x32(uint8(p.repetition)), archsimd.BroadcastUint8x32(uint8(p.subcomponent))
	hits := func(b archsimd.Uint8x32) uint64 {
		return uint64(b.Equal(field).Or(b.Equal(component)).Or(b.Equal(repetition)).Or(b.Equal(subcomponent)).ToBits())
	}
	var seen archsimd.Uint8x32
	blocks = len(text) / 64
	for i := range x[:blocks] {
		block := (*[64]byte)(text[64*i:])
		low, high := archsimd.LoadUint8x32((*[32]byte)(block[:32])), archsimd.LoadUint8x32((*[32]byte)(block[32:]))
		x[i] = hits(low) | hits(high)<<32
		seen = seen.Or(low).Or(high)
	}
	return blocks, seen.AsInt8x32().Less(archsimd.BroadcastInt8x32(0)).ToBits() != 0
}
