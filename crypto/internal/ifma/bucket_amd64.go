//go:build !purego

package ifma

// Dispatch of the bucket kernels on one bool, decided at start.

func bucketsAdd(buckets *byte, stride int, points *CachedPoint, digits *uint64, n int, room *sumRoom) {
	if useKernels {
		bucketsAddIFMA(buckets, stride, points, digits, n, room)
		return
	}
	bucketsAddGeneric(buckets, stride, points, digits, n, room)
}

func bucketsTake(out *Point, buckets *byte, stride int) {
	if useKernels {
		bucketsTakeIFMA(out, buckets, stride)
		return
	}
	bucketsTakeGeneric(out, buckets, stride)
}

func storeCached(out *CachedPoint, q *Affine) {
	if useKernels {
		storeCachedIFMA(out, q)
		return
	}
	storeCachedGeneric(out, q)
}

func loadCached(q *Affine, in *CachedPoint) {
	if useKernels {
		loadCachedIFMA(q, in)
		return
	}
	loadCachedGeneric(q, in)
}

func storePoints(rows *byte, stride int, p *Point) {
	if useKernels {
		storePointsIFMA(rows, stride, p)
		return
	}
	storePointsGeneric(rows, stride, p)
}
