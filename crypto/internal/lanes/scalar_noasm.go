//go:build !amd64 || purego

package lanes

func reduceHash8(dst *[Lanes][32]byte, state *hashState) { reduceHash8Generic(dst, state) }

func reduceWide8(dst *[Lanes][32]byte, wide *[Lanes][8]uint64) { reduceWide8Generic(dst, wide) }

func mulAdd8(dst, k, r *[Lanes][32]byte, a *[32]byte) { mulAdd8Generic(dst, k, r, a) }
