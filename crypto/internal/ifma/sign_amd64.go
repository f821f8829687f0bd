//go:build !purego

package ifma

// Dispatch of the multiplication on one bool, decided at start.

func multiplyBase(out *Point, scalars *byte, stride int, table *oddTable, first *Element, room *[5]Element) {
	if useKernels {
		multiplyBaseIFMA(out, scalars, stride, table, first, room)
		return
	}
	multiplyBaseGeneric(out, scalars, stride, table, first, room)
}
