//go:build !purego

package edwards

func setAccelerated(on bool) { accelerated = on }
