//go:build !amd64 || purego

package ifma

// Without the multiplication its twin does the work.

func multiplyBase(out *Point, scalars *byte, stride int, table *oddTable, first *Element, room *[5]Element) {
	multiplyBaseGeneric(out, scalars, stride, table, first, room)
}
