// Command asm writes the field and point kernels of package edwards for amd64 with BMI2 and ADX.
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg edwards
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	mulKernel()
	squareKernel()
	addNielsKernel()
	walkKernel()
	addCachedKernel()
	doubleKernel()
	selectKernel()
	Generate()
}

// element returns the four limbs of the field element at base + offset.
func element(base Register, offset int) limbs { return at(Mem{Base: base}, offset) }

func pointer(name string) Register { return Load(Param(name), GP64()) }

func local() limbs { return at(AllocLocal(32), 0) }

func mulKernel() {
	TEXT("mulADX", NOSPLIT, "func(z, x, y *[4]uint64)")
	Pragma("noescape")
	Doc("mulADX sets z = x·y. z may be x or y.")
	r := mul(element(pointer("x"), 0), element(pointer("y"), 0))
	store(element(pointer("z"), 0), r)
	RET()
}

func squareKernel() {
	TEXT("squareADX", NOSPLIT, "func(z, x *[4]uint64, n int)")
	Pragma("noescape")
	Doc("squareADX squares x n times, n > 0, into z, which may be x.")
	n := Load(Param("n"), GP64())
	x, z := pointer("x"), pointer("z")
	Label("loop")
	store(element(z, 0), square(element(x, 0)))
	MOVQ(z, x)
	DECQ(n)
	JNZ(LabelRef("loop"))
	RET()

	TEXT("squareTwoADX", NOSPLIT, "func(x, y *[4]uint64, n int)")
	Pragma("noescape")
	Doc("squareTwoADX squares x and y in place, n > 0 times each. The two chains fill each other's waiting.")
	n = Load(Param("n"), GP64())
	x, y := pointer("x"), pointer("y")
	Label("both")
	store(element(x, 0), square(element(x, 0)))
	store(element(y, 0), square(element(y, 0)))
	DECQ(n)
	JNZ(LabelRef("both"))
	RET()
}

// signed returns the addresses base and base + 32, swapped when neg is 1.
func signed(base Mem, neg Register) (first, second Register) {
	first, second = GP64(), GP64()
	LEAQ(base, first)
	LEAQ(base.Offset(32), second)
	shift := GP64()
	MOVQ(neg, shift)
	SHLQ(U8(5), shift)
	ADDQ(shift, first.(GPVirtual))
	SUBQ(shift, second.(GPVirtual))
	return
}

func addNielsKernel() {
	TEXT("addNielsADX", NOSPLIT, "func(p *[16]uint64, q *[12]uint64, neg uint64)")
	Pragma("noescape")
	Doc("addNielsADX sets p = p + q when neg is 0, p = p - q when neg is 1: 7 multiplications.",
		"The sign chooses addresses, so it must not be secret.")
	p, q, neg := pointer("p"), pointer("q"), Load(Param("neg"), GP64())
	c, d := local(), local()
	store(c, mul(element(p, 96), element(q, 64)))
	store(d, add(element(p, 64), element(p, 64)))
	addition(p, q, neg, c, d)
	RET()
}

// ahead is how many steps before its use an entry is fetched: far enough for main memory.
const ahead = 6 // walkAhead in package edwards

func walkKernel() {
	TEXT("walkADX", NOSPLIT, "func(p *[16]uint64, steps *[2]uint64, n int)")
	Pragma("noescape")
	Doc("walkADX adds n entries, n > 0, to p. It reads 6 steps past the last one, and fetches their entries.")
	p := pointer("p")
	// The registers are all needed: the counter and the position stay where the arguments are.
	at, _ := Param("steps").Resolve()
	count, _ := Param("n").Resolve()
	Label("step")
	steps, q, neg := GP64(), GP64(), GP64()
	MOVQ(at.Addr, steps)
	MOVQ(Mem{Base: steps, Disp: 16 * ahead}, q)
	PREFETCHT0(Mem{Base: q})
	PREFETCHT0(Mem{Base: q, Disp: 95})
	MOVQ(Mem{Base: steps}, q)
	MOVQ(Mem{Base: steps, Disp: 8}, neg)
	ADDQ(U8(16), steps)
	MOVQ(steps, at.Addr)
	c, d := local(), local()
	store(c, mul(element(p, 96), element(q, 64)))
	store(d, add(element(p, 64), element(p, 64)))
	addition(p, q, neg, c, d)
	DECQ(count.Addr)
	JNZ(LabelRef("step"))
	RET()
}

func addCachedKernel() {
	TEXT("addCachedADX", NOSPLIT, "func(p *[16]uint64, q *[16]uint64, neg uint64)")
	Pragma("noescape")
	Doc("addCachedADX sets p = p + q when neg is 0, p = p - q when neg is 1: 8 multiplications.",
		"The sign chooses addresses, so it must not be secret.")
	p, q, neg := pointer("p"), pointer("q"), Load(Param("neg"), GP64())
	c, d := local(), local()
	store(c, mul(element(p, 96), element(q, 64)))
	store(d, mul(element(p, 64), element(q, 96)))
	addition(p, q, neg, c, d)
	RET()
}

// addition finishes p ± q, where c is the product of the T's and d that of the Z's, doubled.
func addition(p, q, neg Register, c, d limbs) {
	ypx, ymx := signed(Mem{Base: q}, neg)
	a, b := local(), local()
	store(a, sub(element(p, 32), element(p, 0)))
	store(b, add(element(p, 32), element(p, 0)))
	store(a, mul(a, element(ymx, 0)))
	store(b, mul(b, element(ypx, 0)))
	// A negative sign exchanges the sum and the difference where they are written.
	both := AllocLocal(64)
	sum, difference := signed(both, neg)
	store(element(sum, 0), add(d, c))
	store(element(difference, 0), sub(d, c))
	g, f := at(both, 0), at(both, 32)
	e, h := local(), local()
	store(e, sub(b, a))
	store(h, add(b, a))
	store(element(p, 64), mul(f, g))
	store(element(p, 0), mul(e, f))
	store(element(p, 32), mul(h, g))
	store(element(p, 96), mul(e, h))
}

func doubleKernel() {
	TEXT("doubleADX", NOSPLIT, "func(p *[16]uint64, n int)")
	Pragma("noescape")
	Doc("doubleADX doubles p n times, n > 0: 3 multiplications and 4 squarings each, and one multiplication for T.")
	n := Load(Param("n"), GP64())
	p := pointer("p")
	a, b, c, e := local(), local(), local(), local()
	g, f := local(), local()
	Label("again")
	store(a, square(element(p, 0)))
	store(b, square(element(p, 32)))
	store(c, square(element(p, 64)))
	store(e, add(element(p, 0), element(p, 32)))
	store(e, square(e))
	store(c, add(c, c))
	store(g, sub(b, a))
	store(b, add(b, a))
	store(e, sub(e, b))
	store(f, sub(c, g))
	store(element(p, 0), mul(e, f))
	store(element(p, 32), mul(g, b))
	store(element(p, 64), mul(f, g))
	DECQ(n)
	JNZ(LabelRef("again"))
	store(element(p, 96), mul(e, b)) // a doubling does not read T
	RET()
}

// selectKernel reads every entry of a window, so that neither address nor time tells which one was taken.
func selectKernel() {
	TEXT("selectNielsAVX2", NOSPLIT, "func(z *[12]uint64, table *[12]uint64, n int, index uint64)")
	Pragma("noescape")
	Doc("selectNielsAVX2 sets z to the entry index of the n entries at table, counted from 1, or to zeros",
		"for another index. Reads all n entries in order, whatever the index.")
	z, table := pointer("z"), pointer("table")
	n := Load(Param("n"), GP64())
	want, have, one := YMM(), YMM(), YMM()
	index := Load(Param("index"), GP64())
	MOVQ(index, want.AsX())
	VPBROADCASTQ(want.AsX(), want)
	i := GP64()
	MOVQ(U32(1), i)
	MOVQ(i, one.AsX())
	VPBROADCASTQ(one.AsX(), one)
	VMOVDQA(one, have)
	var acc [3]VecVirtual
	for j := range acc {
		acc[j] = YMM()
		VPXOR(acc[j], acc[j], acc[j])
	}
	mask, t := YMM(), YMM()
	Label("entry")
	VPCMPEQQ(want, have, mask)
	for j := range acc {
		VPAND(Mem{Base: table, Disp: 32 * j}, mask, t)
		VPOR(t, acc[j], acc[j])
	}
	VPADDQ(one, have, have)
	ADDQ(U8(96), table)
	DECQ(n)
	JNZ(LabelRef("entry"))
	for j := range acc {
		VMOVDQU(acc[j], Mem{Base: z, Disp: 32 * j})
	}
	VZEROUPPER()
	RET()
}
