//go:build !amd64 || purego

package ifma

// Without the bucket kernels their twins do the work.

func bucketsAdd(buckets *byte, stride int, points *CachedPoint, digits *uint64, n int, room *sumRoom) {
	bucketsAddGeneric(buckets, stride, points, digits, n, room)
}

func bucketsTake(out *Point, buckets *byte, stride int) {
	bucketsTakeGeneric(out, buckets, stride)
}

func storeCached(out *CachedPoint, q *Affine) {
	storeCachedGeneric(out, q)
}

func loadCached(q *Affine, in *CachedPoint) {
	loadCachedGeneric(q, in)
}

func storePoints(rows *byte, stride int, p *Point) {
	storePointsGeneric(rows, stride, p)
}
