//go:build !amd64 || purego

package ifma

// Without the point kernels their twins do the work.

func addPoints(out, p, q *Point, twoD *Element, room *[4]Element) {
	addPointsGeneric(out, p, q, twoD, room)
}

func addMixed(out, p *Point, q *Affine, room *[4]Element) {
	addMixedGeneric(out, p, q, room)
}

func doubleTimes(p *Point, n int, room *[4]Element) {
	doubleTimesGeneric(p, n, room)
}

func doublePoint(out, p *Point, room *[4]Element) {
	doublePointGeneric(out, p, room)
}
