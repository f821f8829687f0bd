// Command asm generates the AVX-512 kernels of package crc32c. Run it through go generate in that package.
package main

import (
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	wordBytes  = 8
	blockBytes = 64   // a register of 512 bits
	chunkBytes = 1024 // data that is moved to its end by multipliers of the table
	chunkWords = chunkBytes / wordBytes

	xor3 = 0x96 // of VPTERNLOGQ: the sum of its three operands
)

func main() {
	ConstraintExpr("!purego")
	multipliers := table()

	TEXT("updateAVX512", NOSPLIT, "func(crc uint32, p *byte, n int) uint32")
	Pragma("noescape")
	Doc("updateAVX512 is the kernel behind Update. It reads the n bytes at p, at least 8.")
	state := GP64()
	Load(Param("crc"), state.As32())
	NOTL(state.As32())
	checksum(multipliers, state)

	TEXT("prefixedAVX512", NOSPLIT, "func(prefix *[8]byte, p *byte, n int) uint32")
	Pragma("noescape")
	Doc("prefixedAVX512 is the kernel behind Prefixed. It reads the n bytes at p, at least 8.")
	prefix := parameter("prefix")
	after := GP64()
	MOVL(I32(-1), after.As32())
	CRC32Q(Mem{Base: prefix}, after)
	checksum(multipliers, after)

	Generate()
}

func parameter(name string) GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

// table is the multipliers of the words of a chunk, in their order, and after them those of the two words before it.
func table() Mem {
	m := GLOBL("multipliers", RODATA|NOPTR)
	words := shifts(chunkWords + 2)
	slices.Reverse(words)
	for i, w := range slices.Concat(words[2:], words[:2]) {
		DATA(wordBytes*i, U64(w))
	}
	return m
}

// checksum goes on from a state, the checksum so far without its last complement, over the bytes of the parameters p
// and n, and returns. Words are read such that the last one ends where the data ends: what is not a whole word comes
// first, then what is not a whole block, then what is not a whole chunk. The products of all words with their
// multipliers, none of which waits for another, add up to one polynomial of 128 bits, whose checksum is that of all.
func checksum(multipliers Mem, state GPVirtual) {
	p, n := parameter("p"), parameter("n")
	partWord(state, p, n)

	Comment("The first chunk has 1 to 128 words; as many multipliers, up to the end of the table.")
	first, k, end := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: n, Disp: -wordBytes}, first)
	ANDL(U32(chunkBytes-1), first.As32())
	LEAQ(multipliers.Offset(chunkBytes), end)
	LEAQ(Mem{Base: end, Disp: -wordBytes}, k)
	SUBQ(first, k)
	SUBQ(first, n)
	SUBQ(Imm(wordBytes), n) // now the bytes after the first chunk

	Comment("The state is added to the first word.")
	sum, x := ZMM(), XMM()
	VMOVQ(state, sum.AsX())
	VMOVQ(Mem{Base: k}, x)
	VPCLMULQDQ(U8(0x00), x, sum.AsX(), sum.AsX())

	Comment("The first block has 1 to 8 words. They are read from where they begin: words before them may be on a page that",
		"is not there, and then it takes 150 ns not to read them.")
	before, words := GP64(), GP32()
	ANDL(U32(blockBytes-wordBytes), first.As32())
	MOVL(U32(blockBytes-wordBytes), before.As32())
	SUBL(first.As32(), before.As32())
	SUBQ(before, k)
	missing := GP32()
	MOVL(before.As32(), missing)
	SHRL(Imm(3), missing)
	MOVL(U32(0xff), words)
	SHLXL(missing, words, words)
	mask := K()
	KMOVB(words, mask)
	data := ZMM()
	VPEXPANDQ_Z(Mem{Base: p}, mask, data)
	SUBQ(before, p)
	JMP(LabelRef("multiply"))

	Label("block")
	VMOVDQU64(Mem{Base: p}, data)
	Label("multiply")
	m, low, high := ZMM(), ZMM(), ZMM()
	VMOVDQU64(Mem{Base: k}, m)
	ADDQ(Imm(blockBytes), p)
	ADDQ(Imm(blockBytes), k)
	product(data, m, low, high, sum)
	CMPQ(k, end)
	JNE(LabelRef("block"))

	TESTQ(n, n)
	JZ(LabelRef("reduce"))
	Comment("The sum so far is the two words before the next chunk.")
	VMOVDQA64(sum, data)
	VPXORQ(sum, sum, sum)
	VBROADCASTI64X2(multipliers.Offset(chunkBytes), m)
	product(data, m, low, high, sum)
	LEAQ(multipliers, k)
	SUBQ(U32(chunkBytes), n)
	JMP(LabelRef("block"))

	Label("reduce")
	reduce(sum)
}

// partWord takes the first n mod 8 bytes into the state: what it has of bits beyond theirs stays, the rest goes with
// them through one instruction, after as many zeros as make it a word, which change nothing.
func partWord(state, p, n GPVirtual) {
	Comment("Bytes before the first whole word.")
	part, bits, left, word, sum := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVL(n.As32(), part.As32())
	ANDL(Imm(wordBytes-1), part.As32())
	MOVL(part.As32(), bits.As32())
	SHLL(Imm(3), bits.As32())
	MOVL(bits.As32(), left.As32())
	XORL(Imm(63), left.As32()) // 63 - bits
	MOVQ(Mem{Base: p}, word)
	XORQ(state, word)
	SHLXQ(left, word, word)
	SHLQ(Imm(1), word) // in two steps, since none may be by 64 bits
	SHRXQ(bits, state, state)
	XORL(sum.As32(), sum.As32())
	CRC32Q(word, sum)
	XORQ(sum, state)
	ADDQ(part, p)
	SUBQ(part, n)
}

// product adds the products of the words of data and of m to sum.
func product(data, m, low, high, sum VecVirtual) {
	VPCLMULQDQ(U8(0x00), m, data, low)
	VPCLMULQDQ(U8(0x11), m, data, high)
	VPTERNLOGQ(U8(xor3), low, high, sum)
}

// reduce returns the checksum of the 128 bits to which the four parts of sum add up.
func reduce(sum VecVirtual) {
	half := YMM()
	VEXTRACTI64X4(U8(1), sum, half)
	VPXOR(half, sum.AsY(), half)
	quarter := XMM()
	VEXTRACTI128(U8(1), half, quarter)
	VPXOR(quarter, half.AsX(), quarter)
	low, high, crc := GP64(), GP64(), GP64()
	VMOVQ(quarter, low)
	VPEXTRQ(U8(1), quarter, high)
	XORL(crc.As32(), crc.As32())
	CRC32Q(low, crc)
	XORQ(crc, high)
	XORL(crc.As32(), crc.As32())
	CRC32Q(high, crc)
	NOTL(crc.As32())
	Store(crc.As32(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}
