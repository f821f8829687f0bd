//go:build !purego

package ifma

// Dispatch of the point kernels on one bool, decided at start.

func addPoints(out, p, q *Point, twoD *Element, room *[4]Element) {
	if useKernels {
		addPointsIFMA(out, p, q, twoD, room)
		return
	}
	addPointsGeneric(out, p, q, twoD, room)
}

func addMixed(out, p *Point, q *Affine, room *[4]Element) {
	if useKernels {
		addMixedIFMA(out, p, q, room)
		return
	}
	addMixedGeneric(out, p, q, room)
}

func doubleTimes(p *Point, n int, room *[4]Element) {
	if useKernels {
		doubleTimesIFMA(p, n, room)
		return
	}
	doubleTimesGeneric(p, n, room)
}

func doublePoint(out, p *Point, room *[4]Element) {
	if useKernels {
		doublePointIFMA(out, p, room)
		return
	}
	doublePointGeneric(out, p, room)
}
