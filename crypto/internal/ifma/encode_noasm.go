//go:build !amd64 || purego

package ifma

// Without the encoding kernels their twins do the work.

func encode(out *Words, p *Point, inverse *Element) {
	encodeGeneric(out, p, inverse)
}

func matchRows(w *Words, rows *byte, stride int) uint64 {
	return matchRowsGeneric(w, rows, stride)
}

func storeRows(w *Words, rows *byte, stride int) {
	storeRowsGeneric(w, rows, stride)
}

func unpackRows(out *Element, rows *byte, stride int) uint64 {
	return unpackRowsGeneric(out, rows, stride)
}

func entries(rows *byte, p *Point, inverse, d *Element, room *[4]Element) {
	entriesGeneric(rows, p, inverse, d, room)
}

func zeros(e *Element) uint64 {
	return zerosGeneric(e)
}

func root(x, r, check, u, sqrtM1 *Element, signs uint64, room *[4]Element) uint64 {
	return rootGeneric(x, r, check, u, sqrtM1, signs, room)
}
