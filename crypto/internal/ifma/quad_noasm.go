//go:build !amd64 || purego

package ifma

// Without the quad kernels their twins do the work.

func quadDouble(p *quad, n int) {
	quadDoubleGeneric(p, n)
}

func quadAdd(p *quad, lower, upper *quadEntry) {
	quadAddGeneric(p, lower, upper)
}
