//go:build !purego

package edwards

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// Accelerated reports whether the kernels of this processor's instruction set are in use.
func Accelerated() bool { return accelerated }

// accelerated is decided at start; tests of the generic twins clear it.
var accelerated = cpuid.CPU.Supports(cpuid.BMI2, cpuid.ADX, cpuid.AVX2)

func mul(z, x, y *Element) {
	if accelerated {
		mulADX((*[4]uint64)(z), (*[4]uint64)(x), (*[4]uint64)(y))
		return
	}
	mulGeneric(z, x, y)
}

// square squares x n times, n > 0.
func square(z, x *Element, n int) {
	if accelerated {
		squareADX((*[4]uint64)(z), (*[4]uint64)(x), n)
		return
	}
	squareGeneric(z, x, n)
}

// squareTwo squares x and y in place, n > 0 times each.
func squareTwo(x, y *Element, n int) {
	if accelerated {
		squareTwoADX((*[4]uint64)(x), (*[4]uint64)(y), n)
		return
	}
	squareGeneric(x, x, n)
	squareGeneric(y, y, n)
}

// AddNiels sets p = p + q when neg is 0, p = p - q when neg is 1. Where the processor's kernels are in use the sign
// chooses addresses: it must not be secret.
func (p *Point) AddNiels(q *Niels, neg uint64) {
	if accelerated {
		addNielsADX((*[16]uint64)(unsafe.Pointer(p)), (*[12]uint64)(unsafe.Pointer(q)), neg)
		return
	}
	addNielsGeneric(p, q, neg)
}

// walk adds the steps, at least one. In memory they are followed by walkAhead more.
func (p *Point) walk(steps []Step) {
	if accelerated {
		first := (*[2]uint64)(unsafe.Pointer(unsafe.SliceData(steps)))
		walkADX((*[16]uint64)(unsafe.Pointer(p)), first, len(steps))
		return
	}
	walkGeneric(p, steps)
}

// AddCached sets p = p + q when neg is 0, p = p - q when neg is 1. The sign must not be secret.
func (p *Point) AddCached(q *Cached, neg uint64) {
	if accelerated {
		addCachedADX((*[16]uint64)(unsafe.Pointer(p)), (*[16]uint64)(unsafe.Pointer(q)), neg)
		return
	}
	addCachedGeneric(p, q, neg)
}

// Double doubles p n times, n > 0.
func (p *Point) Double(n int) {
	if accelerated {
		doubleADX((*[16]uint64)(unsafe.Pointer(p)), n)
		return
	}
	doubleGeneric(p, n)
}

// choose sets z to window[index-1], or to zeros when index is 0, reading every entry whatever the index.
func (z *Niels) choose(window []Niels, index uint64) {
	if accelerated {
		table := (*[12]uint64)(unsafe.Pointer(unsafe.SliceData(window)))
		selectNielsAVX2((*[12]uint64)(unsafe.Pointer(z)), table, len(window), index)
		return
	}
	chooseGeneric(z, window, index)
}
