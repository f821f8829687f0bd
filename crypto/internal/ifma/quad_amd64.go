//go:build !purego

package ifma

// Dispatch of the quad kernels on one bool, decided at start.

func quadDouble(p *quad, n int) {
	if useKernels {
		quadDoubleIFMA(p, n)
		return
	}
	quadDoubleGeneric(p, n)
}

func quadAdd(p *quad, lower, upper *quadEntry) {
	if useKernels {
		quadAddIFMA(p, lower, upper)
		return
	}
	quadAddGeneric(p, lower, upper)
}
