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

// coefficientsAES is the same for processors without AVX-512: eight blocks side by side, since a round takes four cycles
// and two rounds begin in each.
func coefficientsAES() {
	TEXT("coefficientsAES", noSplit, "func(dst *[16]byte, count uint64, counter uint64, key *[16]byte)")
	Pragma("noescape")
	Doc("coefficientsAES makes what coefficientsAVX512 makes.")
	dst := Load(Param("dst"), GP64())
	count := Load(Param("count"), GP64())
	counter := Load(Param("counter"), GP64())
	keys := AllocLocal(16 * (aesRounds + 1))
	k := XMM()
	VMOVDQU(at(Load(Param("key"), GP64()), 0), k)
	for i := range aesRounds + 1 {
		if i > 0 {
			nextRoundKey(k, i)
		}
		VMOVDQU(k, keys.Offset(16*i))
	}
	block, one := XMM(), XMM()
	VMOVQ(counter, block)
	step := GP64()
	MOVQ(U32(1), step)
	VMOVQ(step, one)
	encrypt := func(n int) {
		z := make([]VecVirtual, n)
		for i := range z {
			z[i] = XMM()
			VPXOR(keys, block, z[i])
			VPADDQ(one, block, block)
		}
		for round := 1; round < aesRounds; round++ {
			for _, x := range z {
				VAESENC(keys.Offset(16*round), x, x)
			}
		}
		for i, x := range z {
			VAESENCLAST(keys.Offset(16*aesRounds), x, x)
			VPAND(table("coefficientMask", 1<<64-1, 1<<62-1), x, x)
			VMOVDQU(x, at(dst, 16*i))
		}
		ADDQ(Imm(uint64(16*n)), dst)
		SUBQ(Imm(uint64(n)), count)
	}
	const eight = 8
	Label("eight")
	CMPQ(count, Imm(eight))
	JB(LabelRef("one"))
	encrypt(eight)
	JMP(LabelRef("eight"))
	Label("one")
	TESTQ(count, count)
	JZ(LabelRef("done"))
	encrypt(1)
	JMP(LabelRef("one"))
	Label("done")
	Comment("Nothing of the key stays on the stack.")
	VPXOR(k, k, k)
	for i := range aesRounds + 1 {
		VMOVDQU(k, keys.Offset(16*i))
	}
	RET()
}

// nextRoundKey replaces round key i-1 by round key i (FIPS 197, section 5.2).
func nextRoundKey(k VecVirtual, i int) {
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

// roundKeys expands a key, each round key four times in a register.
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
			nextRoundKey(k, i)
		}
		spread(keys[i])
	}
	return keys
}
