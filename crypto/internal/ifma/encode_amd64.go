//go:build !purego

package ifma

// Dispatch of the encoding kernels on one bool, decided at start.

func encode(out *Words, p *Point, inverse *Element) {
	if useKernels {
		encodeIFMA(out, p, inverse)
		return
	}
	encodeGeneric(out, p, inverse)
}

func matchRows(w *Words, rows *byte, stride int) uint64 {
	if useKernels {
		return matchRowsIFMA(w, rows, stride)
	}
	return matchRowsGeneric(w, rows, stride)
}

func storeRows(w *Words, rows *byte, stride int) {
	if useKernels {
		storeRowsIFMA(w, rows, stride)
		return
	}
	storeRowsGeneric(w, rows, stride)
}

func unpackRows(out *Element, rows *byte, stride int) uint64 {
	if useKernels {
		return unpackRowsIFMA(out, rows, stride)
	}
	return unpackRowsGeneric(out, rows, stride)
}

func entries(rows *byte, p *Point, inverse, d *Element, room *[4]Element) {
	if useKernels {
		entriesIFMA(rows, p, inverse, d, room)
		return
	}
	entriesGeneric(rows, p, inverse, d, room)
}

func zeros(e *Element) uint64 {
	if useKernels {
		return zerosIFMA(e)
	}
	return zerosGeneric(e)
}

func root(x, r, check, u, sqrtM1 *Element, signs uint64, room *[4]Element) uint64 {
	if useKernels {
		return rootIFMA(x, r, check, u, sqrtM1, signs, room)
	}
	return rootGeneric(x, r, check, u, sqrtM1, signs, room)
}
