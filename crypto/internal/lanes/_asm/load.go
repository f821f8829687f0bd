package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// load8 builds the schedule of one block for eight messages.
func load8() {
	TEXT("load8AVX512", noSplit, "func(w *[16][8]uint64, first **[32]byte, second **[32]byte, message *[]byte, block uint64) uint8")
	Pragma("noescape")
	Doc("load8AVX512 is the kernel behind load8.")
	w := Load(Param("w"), GP64())
	first := Load(Param("first"), GP64())
	second := Load(Param("second"), GP64())
	message := Load(Param("message"), GP64())
	block := Load(Param("block"), GP64())

	swap := byteSwap()
	x80 := broadcast(0x8080808080808080)

	// offset: where in the messages the second half of this block begins; the first half begins half a block earlier.
	offset := GP64()
	MOVQ(block, offset)
	SHLQ(U8(7), offset)
	TESTQ(block, block)
	JNZ(LabelRef("later"))

	Comment("First half of block 0: the two 32-byte pieces.")
	rows := zmms(lanes)
	for l, r := range rows {
		p, q := GP64(), GP64()
		MOVQ(at(first, 8*l), p)
		MOVQ(at(second, 8*l), q)
		sideBySide(at(p, 0), at(q, 0), r)
	}
	storeHalf(rows, w, 0, swap)
	JMP(LabelRef("second"))

	Label("later")
	SUBQ(Imm(64), offset)
	rest := zmms(lanes)
	loadRows(rest, message, offset, x80)
	storeHalf(rest, w, 0, swap)
	ADDQ(Imm(64), offset)

	Label("second")
	Comment("Lengths of the messages, by lane.")
	index, lengths, all := ZMM(), ZMM(), K()
	move(table("sliceIndex", 0, 3, 6, 9, 12, 15, 18, 21), index)
	KXNORB(all, all, all)
	VPGATHERQQ(Mem{Base: message, Disp: 8, Index: index, Scale: 8}, all, lengths)

	secondHalf(w, message, offset, lengths, x80, swap)

	Comment("Number of the last block: (64 + n + 17 + 127)/128 - 1. That block ends with the length in bits.")
	last, blocks, bits := ZMM(), ZMM(), ZMM()
	VPADDQ(broadcast(64+17+127-128), lengths, last)
	VPSRLQ(U8(7), last, last)
	VPBROADCASTQ(block, blocks)
	ends := K()
	VPCMPEQQ(blocks, last, ends)
	VPADDQ(broadcast(64), lengths, bits)
	VPSLLQ(U8(3), bits, bits)
	w15 := ZMM()
	move(at(w, row*15), w15)
	VMOVDQA64(bits, ends, w15)
	move(w15, at(w, row*15))

	active, result := K(), GP32()
	VPCMPUQ(U8(cmpGreaterEqual), blocks, last, active)
	KMOVB(active, result)
	Store(result.As8(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// secondHalf loads words 8 to 15, all bytes of which are of the messages.
func secondHalf(w, message, offset Register, lengths, x80, swap VecVirtual) {
	Comment("Second half, unless every message ended before it.")
	offsets, present, some := ZMM(), K(), GP32()
	VPBROADCASTQ(offset, offsets)
	VPCMPUQ(U8(cmpGreaterEqual), offsets, lengths, present)
	KMOVB(present, some)
	TESTL(some, some)
	JNZ(LabelRef("bytes"))
	none := ZMM()
	zero(none)
	for j := 8; j < 16; j++ {
		move(none, at(w, row*j))
	}
	JMP(LabelRef("length"))
	Label("bytes")
	Comment("Most often all messages fill the half.")
	full := K()
	rows := zmms(lanes)
	VPADDQ(broadcast(64), offsets, offsets)
	VPCMPUQ(U8(cmpGreaterEqual), offsets, lengths, full)
	KMOVB(full, some)
	CMPL(some, Imm(0xff))
	JNE(LabelRef("partial"))
	for l, r := range rows {
		p := GP64()
		MOVQ(at(message, 24*l), p)
		move(Mem{Base: p, Index: offset, Scale: 1}, r)
	}
	JMP(LabelRef("loaded"))
	Label("partial")
	loadRows(rows, message, offset, x80)
	Label("loaded")
	storeHalf(rows, w, 8, swap)
	Label("length")
}

// byteSwap turns the words of SHA-512 around.
func byteSwap() VecVirtual {
	v := ZMM()
	VBROADCASTI64X2(table("byteSwap", 0x0001020304050607, 0x08090a0b0c0d0e0f), v)
	return v
}

// loadRows reads 64 bytes of each of eight messages from an offset on, with the padding byte 0x80 after the last byte
// of the message and zeros behind it. Nothing is read beyond a message: masked loads suppress the faults.
func loadRows(rows []VecVirtual, message, offset Register, x80 VecVirtual) {
	zeroWord := GP64()
	XORQ(zeroWord, zeroWord)
	limit := GP64()
	MOVQ(U32(64), limit)
	for l, r := range rows {
		p, n, mask, end := GP64(), GP64(), GP64(), GP64()
		MOVQ(at(message, 24*l), p)
		MOVQ(at(message, 24*l+8), n)
		MOVQ(I32(-1), end)
		SUBQ(offset, n)
		CMOVQCS(zeroWord, end) // 0 when the message ended before this half, else -1
		CMPQ(n, limit)
		CMOVQHI(limit, n)
		BZHIQ(n, end, mask) // one bit for each byte that is there
		NEGQ(end)
		ADDQ(mask, end) // the bit after the last byte; 0 when there are 64 more, or none left to mark
		bytes, pad := K(), K()
		KMOVQ(mask, bytes)
		KMOVQ(end, pad)
		VMOVDQU8_Z(Mem{Base: p, Index: offset, Scale: 1}, bytes, r)
		VMOVDQU8(x80, pad, r)
	}
}

// storeHalf stores eight words of the schedule, from word first on.
func storeHalf(rows []VecVirtual, w Register, first int, swap VecVirtual) {
	for j, v := range transpose8(rows) {
		VPSHUFB(swap, v, v)
		move(v, at(w, row*(first+j)))
	}
}
