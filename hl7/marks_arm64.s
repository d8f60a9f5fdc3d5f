//go:build !purego

#include "textflag.h"

// func markBlocks(delimiters, special *uint64, text *byte, n int, v *vectorMarker) (beyondASCII bool)
//
// The two entries of each byte are ANDed, as on amd64. The high four bits of a byte above 0x7f select one of the zeros at
// the end of the table. VCMTST makes a byte 0xff if it has one of the bits, else 0. ANDing that with the byte's bit in a group
// of eight, and adding neighbours three times, collects the bits of 64 bytes.
TEXT ·markBlocks(SB), NOSPLIT, $0-41
	MOVD delimiters+0(FP), R0
	MOVD special+8(FP), R1
	MOVD text+16(FP), R2
	MOVD n+24(FP), R3
	MOVD v+32(FP), R4
	VLD1 (R4), [V0.B16, V1.B16] // the entries for the low and the high four bits
	MOVD $0x0f0f0f0f0f0f0f0f, R5
	VMOV R5, V2.D[0]
	VMOV R5, V2.D[1]
	MOVD $0x8040201008040201, R5
	VMOV R5, V3.D[0]
	VMOV R5, V3.D[1]
	VEOR V4.B16, V4.B16, V4.B16 // all bytes ORed
	VEOR V31.B16, V31.B16, V31.B16

block:
	VLD1.P 64(R2), [V5.B16, V6.B16, V7.B16, V8.B16]
	VORR V5.B16, V6.B16, V9.B16
	VORR V7.B16, V8.B16, V10.B16
	VORR V9.B16, V4.B16, V4.B16
	VORR V10.B16, V4.B16, V4.B16

	VUSHR $4, V5.B16, V9.B16
	VUSHR $4, V6.B16, V10.B16
	VUSHR $4, V7.B16, V11.B16
	VUSHR $4, V8.B16, V12.B16
	VAND V2.B16, V5.B16, V5.B16
	VAND V2.B16, V6.B16, V6.B16
	VAND V2.B16, V7.B16, V7.B16
	VAND V2.B16, V8.B16, V8.B16
	VTBL V5.B16, [V0.B16], V5.B16
	VTBL V6.B16, [V0.B16], V6.B16
	VTBL V7.B16, [V0.B16], V7.B16
	VTBL V8.B16, [V0.B16], V8.B16
	VTBL V9.B16, [V1.B16], V9.B16
	VTBL V10.B16, [V1.B16], V10.B16
	VTBL V11.B16, [V1.B16], V11.B16
	VTBL V12.B16, [V1.B16], V12.B16
	VAND V9.B16, V5.B16, V5.B16
	VAND V10.B16, V6.B16, V6.B16
	VAND V11.B16, V7.B16, V7.B16
	VAND V12.B16, V8.B16, V8.B16

	VCMTST V2.B16, V5.B16, V9.B16 // the low half: delimiters
	VCMTST V2.B16, V6.B16, V10.B16
	VCMTST V2.B16, V7.B16, V11.B16
	VCMTST V2.B16, V8.B16, V12.B16
	VAND V3.B16, V9.B16, V9.B16
	VAND V3.B16, V10.B16, V10.B16
	VAND V3.B16, V11.B16, V11.B16
	VAND V3.B16, V12.B16, V12.B16
	VADDP V10.B16, V9.B16, V9.B16
	VADDP V12.B16, V11.B16, V11.B16
	VADDP V11.B16, V9.B16, V9.B16
	VADDP V9.B16, V9.B16, V9.B16
	VMOV V9.D[0], R5
	MOVD.P R5, 8(R0)

	VUSHR $4, V5.B16, V5.B16 // the high half: special bytes
	VUSHR $4, V6.B16, V6.B16
	VUSHR $4, V7.B16, V7.B16
	VUSHR $4, V8.B16, V8.B16
	VCMTST V5.B16, V5.B16, V5.B16
	VCMTST V6.B16, V6.B16, V6.B16
	VCMTST V7.B16, V7.B16, V7.B16
	VCMTST V8.B16, V8.B16, V8.B16
	VAND V3.B16, V5.B16, V5.B16
	VAND V3.B16, V6.B16, V6.B16
	VAND V3.B16, V7.B16, V7.B16
	VAND V3.B16, V8.B16, V8.B16
	VADDP V6.B16, V5.B16, V5.B16
	VADDP V8.B16, V7.B16, V7.B16
	VADDP V7.B16, V5.B16, V5.B16
	VADDP V5.B16, V5.B16, V5.B16
	VMOV V5.D[0], R5
	MOVD.P R5, 8(R1)

	SUB $1, R3
	CBNZ R3, block

	VMOV V4.D[0], R5
	VMOV V4.D[1], R6
	ORR R6, R5
	TST $0x8080808080808080, R5
	CSET NE, R5
	MOVB R5, beyondASCII+40(FP)
	RET
