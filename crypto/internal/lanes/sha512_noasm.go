//go:build !amd64 || purego

package lanes

func load8(w *schedule, first, second **[32]byte, message *[]byte, block uint64) (active uint8) {
	return load8Generic(w, first, second, message, block)
}

func compress8(state *hashState, w *schedule, active uint8) { compress8Generic(state, w, active) }

func compress16(state *[2]hashState, w *[2]schedule, active uint16) {
	compress16Generic(state, w, active)
}
