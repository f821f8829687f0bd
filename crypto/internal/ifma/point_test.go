package ifma

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// smallOrderPoints are the eight points of order 1, 2, 4 and 8.
func smallOrderPoints() (p []*curve.EdwardsPoint) {
	for _, q := range curve.EIGHT_TORSION {
		p = append(p, q)
	}
	return p
}

// randomPoint is a multiple of the base point, often with a part of small order, sometimes of small order altogether.
func randomPoint(r *rand.Rand) *curve.EdwardsPoint {
	torsion := smallOrderPoints()
	p := new(curve.EdwardsPoint)
	if r.IntN(8) > 0 {
		p.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, randomScalar(r))
	} else {
		p.Identity()
	}
	if r.IntN(2) == 0 {
		p.Add(p, torsion[r.IntN(len(torsion))])
	}
	return p
}

func randomScalar(r *rand.Rand) *scalar.Scalar {
	b := scalarOf(weirdScalar(r))
	s, err := scalar.NewFromCanonicalBytes(b[:])
	if err != nil {
		panic(err)
	}
	return s
}

// weirdScalar is a number below the order: random, or near the limits of recoding.
func weirdScalar(r *rand.Rand) *big.Int {
	v := new(big.Int)
	near := func(v *big.Int) *big.Int { return v.Add(v, big.NewInt(int64(r.IntN(9)-4))) }
	switch r.IntN(8) {
	case 0: // 0, 1, order-1 ...
		near(v)
	case 1: // where folding begins
		near(v.Lsh(big.NewInt(1), 251))
	case 2: // folded to the largest
		near(v.Sub(bigOrder, v.Lsh(big.NewInt(1), 251)))
	case 3: // every digit is half the base, or just above
		bits := uint(MinWindow + r.IntN(MaxWindow-MinWindow+1))
		for range scalarBits / bits {
			v.Lsh(v, bits)
			v.Add(v, new(big.Int).Lsh(big.NewInt(1), bits-1))
			v.Add(v, big.NewInt(int64(r.IntN(3)/2)))
		}
	case 4: // long runs of ones
		v.Lsh(big.NewInt(1), uint(r.IntN(253)))
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(r.IntN(253))))
	default:
		b := make([]byte, 40)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.SetBytes(b)
	}
	return v.Mod(v, bigOrder)
}

func compressed(p *curve.EdwardsPoint) (b [32]byte) {
	var c curve.CompressedEdwardsY
	copy(b[:], c.SetEdwardsPoint(p)[:])
	return b
}

// lanesOf decodes eight points with the package.
func lanesOf(t *testing.T, s *Scratch, points []*curve.EdwardsPoint) (p Point) {
	t.Helper()
	var b [decodePoints][32]byte
	for i := range b {
		b[i] = compressed(points[i%Lanes])
	}
	if ok := s.decodePair(&b[0][0], 32); ok != 1<<decodePoints-1 {
		t.Fatalf("decoded lanes %b", ok)
	}
	s.setAffine(&p, &s.decode.x[0], &s.decode.y[0])
	return p
}

// encoded encodes eight points with the package.
func encoded(s *Scratch, p Point) (b [Lanes][32]byte) {
	points := []Point{p}
	s.invertAll(points)
	encode(&s.words, &points[0], &points[0].T)
	storeRows(&s.words, &b[0][0], 32)
	return b
}

func requirePoints(t *testing.T, s *Scratch, p *Point, want []*curve.EdwardsPoint) {
	t.Helper()
	for i, got := range encoded(s, *p) {
		if w := compressed(want[i]); got != w {
			t.Fatalf("lane %d: got %x, want %x", i, got, w)
		}
	}
	for _, e := range []*Element{&p.Sum, &p.Diff, &p.Z, &p.T} {
		requireClass(t, e, reducedLimit)
	}
	// XY = ZT, in the form (Y+X)^2 - (Y-X)^2 = 4ZT
	var a, b, c Element
	square(&a, &p.Sum)
	square(&b, &p.Diff)
	mul(&c, &p.Z, &p.T)
	sub(&a, &a, &b)
	add(&c, &c, &c)
	add(&c, &c, &c)
	for l := range Lanes {
		if a.lane(l).canonical() != c.lane(l).canonical() {
			t.Fatalf("lane %d: T is wrong", l)
		}
	}
}

func TestPointsVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		n := 300
		if testing.Short() {
			n = 20
		}
		for range n {
			var a, b, sum, double [Lanes]*curve.EdwardsPoint
			for l := range Lanes {
				a[l], b[l] = randomPoint(r), randomPoint(r)
				switch r.IntN(8) {
				case 0:
					b[l] = a[l]
				case 1:
					b[l] = new(curve.EdwardsPoint).Neg(a[l])
				}
				sum[l] = new(curve.EdwardsPoint).Add(a[l], b[l])
				double[l] = new(curve.EdwardsPoint).Add(a[l], a[l])
			}
			p, q := lanesOf(t, s, a[:]), lanesOf(t, s, b[:])
			var out Point
			addPoints(&out, &p, &q, &s.constants.twoD, &s.room)
			requirePoints(t, s, &out, sum[:])
			// a point with Z other than 1 on both sides: (p+q)+(p+q)
			addPoints(&out, &out, &out, &s.constants.twoD, &s.room)
			for l := range Lanes {
				sum[l] = new(curve.EdwardsPoint).Add(sum[l], sum[l])
			}
			requirePoints(t, s, &out, sum[:])
			doublePoint(&out, &p, &s.room)
			requirePoints(t, s, &out, double[:])
			doublePoint(&out, &out, &s.room)
			affine := Affine{Sum: p.Sum, Diff: p.Diff}
			mul(&affine.T, &p.T, &s.constants.twoD)
			addMixed(&out, &out, &affine, &s.room)
			for l := range Lanes {
				double[l] = new(curve.EdwardsPoint).Add(double[l], double[l])
				double[l].Add(double[l], a[l])
			}
			requirePoints(t, s, &out, double[:])
		}
	})
}

// Kernels and twins agree on any loose limbs, points or not: limb by limb, so at every limit of the classes.
func TestPointKernelsVsTwins(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	operations := map[string]func(out, p, q *Point){
		"addPoints": func(out, p, q *Point) { addPoints(out, p, q, &s.constants.twoD, &s.room) },
		"addMixed":  func(out, p, q *Point) { addMixed(out, p, &Affine{q.Sum, q.Diff, q.T}, &s.room) },
		"double":    func(out, p, _ *Point) { doublePoint(out, p, &s.room) },
		"doubleTimes": func(out, p, _ *Point) {
			x := *p
			doubleTimes(&x, 1+int(p.Z[0][0]%4), &s.room)
			*out = x
		},
	}
	for name, f := range operations {
		t.Run(name, func(t *testing.T) {
			for range rounds(laneOperations) {
				p, q := weirdPoint(r), weirdPoint(r)
				var out, twin Point
				f(&out, &p, &q)
				generic(func() { f(&twin, &p, &q) })
				if out != twin {
					t.Fatalf("%x\n%x: kernel\n%x, twin\n%x", p, q, out, twin)
				}
				for _, e := range []*Element{&out.Sum, &out.Diff, &out.Z, &out.T} {
					requireClass(t, e, reducedLimit)
				}
				alias := p
				if f(&alias, &alias, &q); alias != out {
					t.Fatal("out = p")
				}
				alias = q
				if f(&alias, &p, &alias); alias != out {
					t.Fatal("out = q")
				}
				f(&twin, &p, &p)
				alias = p
				if f(&alias, &alias, &alias); alias != twin {
					t.Fatal("out = p = q")
				}
			}
		})
	}
}

func weirdPoint(r *rand.Rand) Point {
	return Point{
		Sum: weirdElement(r, looseLimit), Diff: weirdElement(r, looseLimit),
		Z: weirdElement(r, looseLimit), T: weirdElement(r, looseLimit),
	}
}

// littleEndian is v in 32 bytes.
func littleEndian(v *big.Int) (b [32]byte) {
	v.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}
