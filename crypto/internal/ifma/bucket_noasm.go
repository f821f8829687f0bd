//go:build !amd64 || purego

package ifma

// Without the bucket kernels their twins do the work.

func bucketsAdd(buckets *byte, stride int, points *CachedPoint, digits *[8]int8, n int, room *sumRoom) {
	bucketsAddGeneric(buckets, stride, points, digits, n, room)
}

func bucketsTake(out *Point, buckets *byte, stride int) {
	bucketsTakeGeneric(out, buckets, stride)
}

func storeCached(out *CachedPoint, q *Affine) {
	storeCachedGeneric(out, q)
}
