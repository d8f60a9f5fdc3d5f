//go:build !purego

#include "textflag.h"

// func markBlocks(delimiters, special *uint64, text *byte, n int, v *vectorMarker) (beyondASCII bool)
//
// The two entries of each byte are ANDed. VPSHUFB looks up the low four bits, and returns 0 for a byte above 0x7f, which
// is none of those looked for. The result has a bit in its low half for a delimiter, and in its high half for a special
// byte. Adding 0x70 carries any bit of the high half into the top bit, and VPMOVMSKB collects the top bits. The low half is
// shifted up first. (The shift is by words. It moves bits of one byte into the low half of the next, where they cannot
// carry: 0x0f + 0x70 is 0x7f.)
TEXT ·markBlocks(SB), NOSPLIT, $0-41
	MOVQ delimiters+0(FP), DI
	MOVQ special+8(FP), SI
	MOVQ text+16(FP), BX
	MOVQ n+24(FP), CX
	MOVQ v+32(FP), AX
	VBROADCASTI128 (AX), Y0   // the entries for the low four bits
	VBROADCASTI128 16(AX), Y1 // and for the high four bits
	MOVQ $0x0f0f0f0f0f0f0f0f, AX
	VMOVQ AX, X2
	VPBROADCASTQ X2, Y2
	MOVQ $0x7070707070707070, AX
	VMOVQ AX, X3
	VPBROADCASTQ X3, Y3
	VPXOR Y4, Y4, Y4 // all bytes ORed

block:
	VMOVDQU (BX), Y5
	VMOVDQU 32(BX), Y6
	VPOR Y5, Y4, Y4
	VPOR Y6, Y4, Y4

	VPSRLW $4, Y5, Y7
	VPSRLW $4, Y6, Y8
	VPAND Y2, Y7, Y7
	VPAND Y2, Y8, Y8
	VPSHUFB Y5, Y0, Y5
	VPSHUFB Y6, Y0, Y6
	VPSHUFB Y7, Y1, Y7
	VPSHUFB Y8, Y1, Y8
	VPAND Y7, Y5, Y5
	VPAND Y8, Y6, Y6

	VPSLLW $4, Y5, Y7
	VPSLLW $4, Y6, Y8
	VPADDUSB Y3, Y7, Y7
	VPADDUSB Y3, Y8, Y8
	VPMOVMSKB Y7, AX
	VPMOVMSKB Y8, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (DI)

	VPADDUSB Y3, Y5, Y5
	VPADDUSB Y3, Y6, Y6
	VPMOVMSKB Y5, AX
	VPMOVMSKB Y6, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (SI)

	ADDQ $64, BX
	ADDQ $8, DI
	ADDQ $8, SI
	DECQ CX
	JNZ block

	VPMOVMSKB Y4, AX
	VZEROUPPER
	TESTL AX, AX
	SETNE beyondASCII+40(FP)
	RET
