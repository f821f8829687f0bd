//go:build !purego

package ifma

// Dispatch of the walk on one bool, decided at start.

func walk(out *Point, p, next *plan, steps int, s *Scratch, memory []byte) {
	if useKernels {
		walkIFMA(out, p, next, steps, &s.constants.inverseTwoD, &s.walk)
		return
	}
	walkGeneric(out, p, steps, &s.constants.inverseTwoD, memory)
}

func planDigits(
	p *plan, first int, scalars *byte, stride int, base *[Lanes]uint64, w *window, flip uint64, s *Scratch,
) {
	if useKernels {
		planDigitsIFMA(p, first, scalars, stride, base, w, flip, &s.room)
		return
	}
	planDigitsGeneric(p, first, scalars, stride, base, w, flip)
}

func fetchFirst(p *plan) {
	if useKernels {
		fetchFirstIFMA(p)
	}
}
