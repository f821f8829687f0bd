//go:build !purego

package lanes

func reduceHash8(dst *[Lanes][32]byte, state *hashState) {
	if !Supported {
		reduceHash8Generic(dst, state)
		return
	}
	reduceHash8AVX512(dst, state)
}

func reduceWide8(dst *[Lanes][32]byte, wide *[Lanes][8]uint64) {
	if !Supported {
		reduceWide8Generic(dst, wide)
		return
	}
	reduceWide8AVX512(dst, wide)
}

func mulAdd8(dst, k, r *[Lanes][32]byte, a *[32]byte) {
	if !Supported {
		mulAdd8Generic(dst, k, r, a)
		return
	}
	mulAdd8AVX512(dst, k, r, a)
}
