package ifma

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// testOrders are signatures for VerifyOrders with what is right about them.
type testOrders struct {
	keys       []*Key
	points     []CachedPoint
	signatures [][64]byte
	scalars    [][32]byte
	want       []bool
}

// makeOrders makes signatures of keys of every kind: R is [S]B - [k]A, plus a point of small order half of the time,
// plus the base point in those that must be refused. S and k beyond the order are refused too.
func makeOrders(t *testing.T, r *rand.Rand, s *Scratch, p *testPoints, n int) (o testOrders) {
	encodings := make([]byte, 0, n*32)
	for range n {
		i := r.IntN(len(p.points))
		sScalar, k, good := scalarOf(weirdScalar(r)), scalarOf(weirdScalar(r)), true
		var point curve.EdwardsPoint
		point.DoubleScalarMulBasepointVartime(mustScalar(k), new(curve.EdwardsPoint).Neg(p.points[i]), mustScalar(sScalar))
		if r.IntN(2) == 0 {
			point.Add(&point, smallOrderPoints()[r.IntN(8)])
		}
		beyond := func(v *[32]byte) { *v, good = littleEndian(new(big.Int).Add(bigOrder, fromLittleEndian(*v))), false }
		switch r.IntN(8) {
		case 0:
			point.Add(&point, curve.ED25519_BASEPOINT_POINT)
			good = false
		case 1:
			beyond(&sScalar)
		case 2:
			beyond(&k)
		}
		b := compressed(&point)
		encodings = append(encodings, b[:]...)
		var signature [64]byte
		copy(signature[32:], sScalar[:])
		o.keys = append(o.keys, &p.keys[i])
		o.signatures = append(o.signatures, signature)
		o.scalars = append(o.scalars, k)
		o.want = append(o.want, good)
	}
	o.points = make([]CachedPoint, n)
	s.DecodePoints(o.points, make([]bool, n), encodings, 32)
	return o
}

func TestVerifyOrdersVsVoi(t *testing.T) {
	tables := newTestTables(t, nil, 8, 8)
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		p := newTestPoints(t, r, s, 30)
		sizes := []int{0, 1, 1, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 500}
		if testing.Short() || !useKernels {
			sizes = []int{0, 1, 3, 12}
		}
		for range 50 {
			sizes = append(sizes, 1+r.IntN(maxSingles))
		}
		for _, n := range sizes {
			o, ok := makeOrders(t, r, s, &p, n), make([]bool, n)
			tables.VerifyOrders(ok, o.keys, o.points, o.signatures, o.scalars, s)
			for i := range ok {
				if ok[i] != o.want[i] {
					t.Fatalf("%d of %d: %v, want %v; signature %x, k %x", i, n, ok[i], o.want[i], o.signatures[i], o.scalars[i])
				}
			}
		}
	})
}

// Short multiples of two points and the base point's, whatever they are: the oracle is the sum in the arithmetic of voi.
func TestVerifyOrderVsVoi(t *testing.T) {
	tables := newTestTables(t, nil, 8, 8)
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		p := newTestPoints(t, r, s, 30)
		n := 1000
		if testing.Short() || !useKernels {
			n = 100
		}
		short := func() *big.Int {
			limit := new(big.Int).Lsh(big.NewInt(1), 127)
			if v := weirdScalar(r); r.IntN(4) > 0 {
				return v.Mod(v, limit)
			}
			return limit.Sub(limit, big.NewInt(int64(1+r.IntN(9))))
		}
		for range n {
			i, minus, good := r.IntN(len(p.points)), r.IntN(2) == 0, true
			a, b, response := littleEndian(short()), littleEndian(short()), scalarOf(weirdScalar(r))
			if r.IntN(8) == 0 {
				b = scalarOf(big.NewInt(1))
			}
			// R such that [b]R = [response]B - [±a]A, which takes b to be invertible.
			inverse := new(big.Int).ModInverse(fromLittleEndian(b), bigOrder)
			if inverse == nil {
				continue
			}
			var sum, term curve.EdwardsPoint
			sum.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, mustScalar(response))
			term.Mul(p.points[i], mustScalar(scalarOf(fromLittleEndian(a))))
			if !minus {
				term.Neg(&term)
			}
			sum.Add(&sum, &term)
			sum.Mul(&sum, mustScalar(scalarOf(inverse)))
			if r.IntN(4) == 0 {
				sum.Add(&sum, curve.ED25519_BASEPOINT_POINT)
				good = false
			}
			encoding := compressed(&sum)
			var point [1]CachedPoint
			s.DecodePoints(point[:], make([]bool, 1), encoding[:], 32)
			if r.IntN(8) == 0 {
				response, good = littleEndian(new(big.Int).Add(bigOrder, fromLittleEndian(response))), false
			}
			if got := tables.VerifyOrder(&p.keys[i].Point, &point[0], &a, &b, minus, &response, s); got != good {
				t.Fatalf("a %x, b %x, minus %v, response %x: %v, want %v", a, b, minus, response, got, good)
			}
		}
	})
}

func TestVerifyOrdersAllocatesNothing(t *testing.T) {
	tables := newTestTables(t, nil, 6, 6)
	r, s := newRandom(t), NewScratch()
	p := newTestPoints(t, r, s, 3)
	o, ok := makeOrders(t, r, s, &p, 10), make([]bool, 10)
	if n := testing.AllocsPerRun(3, func() {
		tables.VerifyOrders(ok, o.keys, o.points, o.signatures, o.scalars, s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPointRowsVsTwins(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		p := Point{
			Sum: weirdElement(r, reducedLimit), Diff: weirdElement(r, reducedLimit),
			Z: weirdElement(r, reducedLimit), T: weirdElement(r, reducedLimit),
		}
		var rows, rowsTwin combTable
		const stride = combEntries * bucketBytes
		at := bucketBytes * r.IntN(combEntries)
		storePoints(&rows[at], stride, &p)
		if storePointsGeneric(&rowsTwin[at], stride, &p); rows != rowsTwin {
			t.Fatalf("store %x", p)
		}
		var cached [Lanes]CachedPoint
		for l := range cached {
			for i := range cached[l] {
				cached[l][i] = r.Uint64()
			}
		}
		var q, qTwin Affine
		loadCached(&q, &cached[0])
		if loadCachedGeneric(&qTwin, &cached[0]); q != qTwin {
			t.Fatalf("load %x", cached)
		}
	}
}

func BenchmarkVerifyOrders(b *testing.B) {
	tables := newTestTables(b, nil, DefaultBaseWindow, MinWindow)
	r, s := newRandom(b), NewScratch()
	p := newTestPoints(b, r, s, 30)
	for _, n := range []int{1, 8, 24} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			o, ok := testOrders{}, make([]bool, n)
			for i := range n {
				o.keys = append(o.keys, &p.keys[i])
				o.signatures = append(o.signatures, [64]byte{})
				k := scalarOf(weirdScalar(r))
				copy(o.signatures[i][32:], k[:])
				o.scalars = append(o.scalars, scalarOf(weirdScalar(r)))
			}
			encodings := make([]byte, 32*n)
			o.points = make([]CachedPoint, n)
			for b.Loop() {
				s.DecodePoints(o.points, ok, encodings, 32)
				tables.VerifyOrders(ok, o.keys, o.points, o.signatures, o.scalars, s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/order")
		})
	}
}
