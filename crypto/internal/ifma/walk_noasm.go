//go:build !amd64 || purego

package ifma

// Without the walk its twin does the work.

func walk(out *Point, p, _ *plan, steps int, s *Scratch, memory []byte) {
	walkGeneric(out, p, steps, &s.constants.inverseTwoD, memory)
}

func planDigits(
	p *plan, first int, scalars *byte, stride int, base *[Lanes]uint64, w *window, flip uint64, _ *Scratch,
) {
	planDigitsGeneric(p, first, scalars, stride, base, w, flip)
}

func fetchFirst(*plan) {}
