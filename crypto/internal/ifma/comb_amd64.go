//go:build !purego

package ifma

// Dispatch of the comb kernel on one bool, decided at start.

func comb(out *Point, table *byte, scalars *Words, room *combRoom) {
	if useKernels {
		combIFMA(out, table, scalars, room)
		return
	}
	combGeneric(out, table, scalars, room)
}
