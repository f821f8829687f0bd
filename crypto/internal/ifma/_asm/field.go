package main

import (
	"strings"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

const attrReadOnly = attr.RODATA | attr.NOPTR

// kernel starts a function that keeps none of its arguments.
func kernel(name, signature, doc string) {
	TEXT(name, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(strings.Split(doc, "\n")...)
}

// done ends a function.
func done() {
	VZEROUPPER()
	RET()
}

// argument is the pointer argument of this name, as a slot.
func argument(name string) slot { return slot{Mem{Base: Load(Param(name), GP64())}} }

// fieldSet emits the arithmetic of field elements. Classes of ranges are those of ../doc.go.
func fieldSet() {
	double := newBias("twiceP", 2)

	kernel("mulIFMA", "func(out, a, b *Element)", "mulIFMA sets out = a*b: loose in, reduced out.")
	loadConstants()
	a, b := argument("a"), argument("b")
	r := carry(product(a.load(), b))
	argument("out").store(r)
	done()

	kernel("squareIFMA", "func(out, a *Element)", "squareIFMA sets out = a*a: loose in, reduced out.")
	loadConstants()
	r = carry(squareRaw(argument("a").load()))
	argument("out").store(r)
	done()

	kernel("addIFMA", "func(out, a, b *Element)", "addIFMA sets out = a+b: loose in, reduced out.")
	loadConstants()
	a, b = argument("a"), argument("b")
	r = carry(sum(a.load(), b.load()))
	argument("out").store(r)
	done()

	kernel("subIFMA", "func(out, a, b *Element)", "subIFMA sets out = a-b: loose a and reduced b in, reduced out.")
	loadConstants()
	a, b = argument("a"), argument("b")
	r = carry(difference(a.load(), b.load(), double))
	argument("out").store(r)
	done()

	squareTimes()
	squareTimesOne()
}

// squareTimes emits the squarings of an exponentiation. One chain would wait for its own results; two keep the
// multipliers busy.
func squareTimes() {
	kernel("squareTimesIFMA", "func(out, x *[2]Element, n int)",
		"squareTimesIFMA sets out to x squared n times, n at least 1, for two elements: loose in, reduced out.")
	x, out := GP64(), GP64()
	Load(Param("x"), x)
	Load(Param("out"), out)
	squareLoop(slots(out, 0, 2), slots(x, 0, 2))
}

// squareTimesOne emits the same for one chain, which takes two thirds of the time of two.
func squareTimesOne() {
	kernel("squareTimesOneIFMA", "func(out, x *Element, n int)",
		"squareTimesOneIFMA sets out to x squared n times, n at least 1: loose in, reduced out.")
	squareLoop([]slot{argument("out")}, []slot{argument("x")})
}

func squareLoop(out, x []slot) {
	loadConstants()
	n := Load(Param("n"), GP64())
	chains := make([]element, len(x))
	for i := range chains {
		chains[i] = x[i].load()
	}
	Label("again")
	for i := range chains {
		move(chains[i], carry(squareRaw(chains[i])))
	}
	DECQ(n)
	JNZ(LabelRef("again"))
	for i := range chains {
		out[i].store(chains[i])
	}
	done()
}

// move copies registers; the loop of an exponentiation needs its values back where it started.
func move(to, from element) {
	for i := range to {
		VMOVDQA64(from[i], to[i])
	}
}
