//go:build !amd64 || purego

package edwards

func setAccelerated(bool) {}
