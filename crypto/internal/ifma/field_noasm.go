//go:build !amd64 || purego

package ifma

// Without the field kernels their twins do the work.

func mul(out, a, b *Element) {
	mulGeneric(out, a, b)
}

func square(out, a *Element) {
	squareGeneric(out, a)
}

func add(out, a, b *Element) {
	addGeneric(out, a, b)
}

func sub(out, a, b *Element) {
	subGeneric(out, a, b)
}

func squareTimes(out, x *[2]Element, n int) {
	squareTimesGeneric(out, x, n)
}

func squareTimesOne(out, x *Element, n int) {
	squareTimesOneGeneric(out, x, n)
}
