//go:build !purego

#include "textflag.h"

// func matchAVX2(delimiters, special *uint64, text *byte, blocks int, classes *classes) (seen bool)
//
// For 32 bytes at once: the tables' entries for a byte's low and high half are ANDed. VPSHUFB takes a byte
// above 0x7f for none and gives 0. What is left is 0 but for the bytes looked for: a bit in the low half marks
// a delimiter, one in the high half a special byte. Adding 0x70 brings the high half's bits to the top one,
// which VPMOVMSKB gathers; for the low half a shift comes first.
TEXT ·matchAVX2(SB), NOSPLIT, $0-41
	MOVQ delimiters+0(FP), DI
	MOVQ special+8(FP), SI
	MOVQ text+16(FP), BX
	MOVQ blocks+24(FP), CX
	MOVQ classes+32(FP), AX
	VBROADCASTI128 (AX), Y0   // by the low half
	VBROADCASTI128 16(AX), Y1 // by the high half
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
	VPADDUSB Y3, Y5, Y5
	VPADDUSB Y3, Y6, Y6
	VPADDUSB Y3, Y7, Y7
	VPADDUSB Y3, Y8, Y8
	VPMOVMSKB Y7, AX
	VPMOVMSKB Y8, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (DI)
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
	SETNE seen+40(FP)
	RET
