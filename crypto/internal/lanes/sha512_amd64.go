//go:build !purego

package lanes

func load8(w *schedule, first, second **[32]byte, message *[]byte, block uint64) (active uint8) {
	if !Supported {
		return load8Generic(w, first, second, message, block)
	}
	return load8AVX512(w, first, second, message, block)
}

func compress8(state *hashState, w *schedule, active uint8) {
	if !Supported {
		compress8Generic(state, w, active)
		return
	}
	compress8AVX512(state, w, active)
}

func compress16(state *[2]hashState, w *[2]schedule, active uint16) {
	if !Supported {
		compress16Generic(state, w, active)
		return
	}
	compress16AVX512(state, w, active)
}
