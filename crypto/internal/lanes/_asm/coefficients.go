package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const aesRounds = 10 // AES-128

// coefficients is AES-128 in counter mode, four blocks to a register, with bits of every block cleared.
func coefficients() {
	TEXT("coefficientsAVX512", noSplit, "func(dst *[16]byte, count uint64, counter uint64, key *[16]byte)")
	Pragma("noescape")
	Doc("coefficientsAVX512 is the kernel behind Coefficients.Draw: dst[i] is AES-128 of the block (counter+i, 0), low word",
		"first, under key, without its two top bits.")
	dst := Load(Param("dst"), GP64())
	count := Load(Param("count"), GP64())
	counter := Load(Param("counter"), GP64())
	keyPtr := Load(Param("key"), GP64())

	keys := roundKeys(keyPtr)
	blocks, step, mask := ZMM(), ZMM(), ZMM()
	VPBROADCASTQ(counter, blocks)
	words := K()
	even := GP32()
	MOVL(U32(0x55), even)
	KMOVB(even, words)
	VPADDQ_Z(table("blockIndex", 0, 0, 1, 0, 2, 0, 3, 0), blocks, words, blocks)
	move(table("blockStep", 4, 0, 4, 0, 4, 0, 4, 0), step)
	VBROADCASTI64X2(table("coefficientMask", 1<<64-1, 1<<62-1), mask)

	left, all := GP64(), GP64()
	MOVQ(I32(-1), all)
	Comment("Four blocks a turn; the last turn stores as many as are wanted.")
	Label("blocks")
	MOVQ(count, left)
	ADDQ(left, left)
	CMPQ(left, Imm(8))
	JBE(LabelRef("last"))
	MOVQ(U32(8), left)
	Label("last")
	stored, bits := K(), GP64()
	BZHIQ(left, all, bits)
	KMOVB(bits.As32(), stored)
	z := ZMM()
	VPXORQ(keys[0], blocks, z)
	for i := 1; i < aesRounds; i++ {
		VAESENC(keys[i], z, z)
	}
	VAESENCLAST(keys[aesRounds], z, z)
	VPANDQ(mask, z, z)
	VMOVDQU64(z, stored, at(dst, 0))
	VPADDQ(step, blocks, blocks)
	ADDQ(Imm(row), dst)
	SUBQ(Imm(4), count)
	JA(LabelRef("blocks"))
	VZEROUPPER()
	RET()
}

// roundKeys expands a key (FIPS 197, section 5.2), each round key four times in a register.
func roundKeys(key Register) []VecVirtual {
	keys := zmms(aesRounds + 1)
	k := XMM()
	VMOVDQU(at(key, 0), k)
	spread := func(dst VecVirtual) {
		VMOVDQA64(k, dst.AsX())
		VSHUFI64X2(U8(0), dst, dst, dst)
	}
	for i := range keys {
		if i > 0 {
			t, s := XMM(), XMM()
			rcon := 1
			for range i - 1 {
				rcon = rcon<<1 ^ rcon>>7*0x11b
			}
			VAESKEYGENASSIST(U8(rcon), k, t)
			VPSHUFD(U8(0xff), t, t)
			VPSLLDQ(U8(4), k, s)
			VPXOR(s, t, t)
			VPSLLDQ(U8(4), s, s)
			VPXOR(s, t, t)
			VPSLLDQ(U8(4), s, s)
			VPXOR(s, t, t)
			VPXOR(t, k, k)
		}
		spread(keys[i])
	}
	return keys
}
