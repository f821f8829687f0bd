//go:build !purego

package ifma

// Dispatch of the field kernels on one bool, decided at start.

func mul(out, a, b *Element) {
	if useKernels {
		mulIFMA(out, a, b)
		return
	}
	mulGeneric(out, a, b)
}

func square(out, a *Element) {
	if useKernels {
		squareIFMA(out, a)
		return
	}
	squareGeneric(out, a)
}

func add(out, a, b *Element) {
	if useKernels {
		addIFMA(out, a, b)
		return
	}
	addGeneric(out, a, b)
}

func sub(out, a, b *Element) {
	if useKernels {
		subIFMA(out, a, b)
		return
	}
	subGeneric(out, a, b)
}

func squareTimes(out, x *[2]Element, n int) {
	if useKernels {
		squareTimesIFMA(out, x, n)
		return
	}
	squareTimesGeneric(out, x, n)
}

func squareTimesOne(out, x *Element, n int) {
	if useKernels {
		squareTimesOneIFMA(out, x, n)
		return
	}
	squareTimesOneGeneric(out, x, n)
}
