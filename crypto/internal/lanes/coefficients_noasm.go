//go:build !amd64 || purego

package lanes

func (c *Coefficients) fill(dst [][16]byte) { c.fillGeneric(dst) }
