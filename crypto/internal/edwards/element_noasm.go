//go:build !amd64 || purego

package edwards

// Accelerated reports whether the kernels of this processor's instruction set are in use.
func Accelerated() bool { return false }

func mul(z, x, y *Element) { mulGeneric(z, x, y) }

// square squares x n times, n > 0.
func square(z, x *Element, n int) { squareGeneric(z, x, n) }

// squareTwo squares x and y in place, n > 0 times each.
func squareTwo(x, y *Element, n int) {
	squareGeneric(x, x, n)
	squareGeneric(y, y, n)
}

// AddNiels sets p = p + q when neg is 0, p = p - q when neg is 1. The sign must not be secret.
func (p *Point) AddNiels(q *Niels, neg uint64) { addNielsGeneric(p, q, neg) }

// walk adds the steps.
func (p *Point) walk(steps []Step) { walkGeneric(p, steps) }

// AddCached sets p = p + q when neg is 0, p = p - q when neg is 1. The sign must not be secret.
func (p *Point) AddCached(q *Cached, neg uint64) { addCachedGeneric(p, q, neg) }

// Double doubles p n times, n > 0.
func (p *Point) Double(n int) { doubleGeneric(p, n) }

// choose sets z to window[index-1], or to zeros when index is 0, reading every entry whatever the index.
func (z *Niels) choose(window []Niels, index uint64) { chooseGeneric(z, window, index) }
