//go:build !amd64 || purego

package ifma

// Without the comb kernel its twin does the work.

func comb(out *Point, table *byte, scalars *Words, room *combRoom) {
	combGeneric(out, table, scalars, room)
}
