package edwards

import (
	"fmt"
	"math/big"
	"math/rand"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// bothKernels runs f with the kernels of this processor, where there are any, and with the generic twins.
func bothKernels(t *testing.T, f func(t *testing.T)) {
	if Accelerated() {
		t.Run("kernels", f)
		setAccelerated(false)
		defer setAccelerated(true)
	}
	t.Run("generic", f)
}

func toBig(limbs []uint64) *big.Int {
	r := new(big.Int)
	for i := len(limbs) - 1; i >= 0; i-- {
		r.Lsh(r, 64)
		r.Or(r, new(big.Int).SetUint64(limbs[i]))
	}
	return r
}

// weird favors limbs at the limits, where carries happen.
func weird(rng *rand.Rand) (e Element) {
	for i := range e {
		switch rng.Intn(6) {
		case 0:
			e[i] = ^uint64(0)
		case 1:
			e[i] = 0
		case 2:
			e[i] = ^uint64(0) - uint64(rng.Intn(60))
		case 3:
			e[i] = uint64(rng.Intn(60))
		default:
			e[i] = rng.Uint64()
		}
	}
	return e
}

func TestElementMatchesBig(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(1))
		check := func(name string, got *Element, want *big.Int, x, y Element) {
			t.Helper()
			want.Mod(want, prime)
			if g := toBig(got[:]); g.Mod(g, prime).Cmp(want) != 0 {
				t.Fatalf("%s of %x, %x: got %x", name, x, y, *got)
			}
			if r := got.reduced(); toBig(r[:]).Cmp(want) != 0 {
				t.Fatalf("%s of %x, %x: reduced to %x", name, x, y, r)
			}
		}
		for range 50000 {
			x, y := weird(rng), weird(rng)
			bx, by := toBig(x[:]), toBig(y[:])
			var z Element
			z.Add(&x, &y)
			check("sum", &z, new(big.Int).Add(bx, by), x, y)
			z.Sub(&x, &y)
			check("difference", &z, new(big.Int).Sub(bx, by), x, y)
			mul(&z, &x, &y)
			check("product", &z, new(big.Int).Mul(bx, by), x, y)
			z = x
			mul(&z, &z, &z)
			check("aliased product", &z, new(big.Int).Mul(bx, bx), x, x)
			square(&z, &x, 1)
			check("square", &z, new(big.Int).Mul(bx, bx), x, x)
			p, q := x, y
			squareTwo(&p, &q, 2)
			check("fourth power", &p, new(big.Int).Exp(bx, big.NewInt(4), prime), x, x)
			check("fourth power", &q, new(big.Int).Exp(by, big.NewInt(4), prime), y, y)
		}
		x := weird(rng)
		var z Element
		z.Invert(&x)
		check("inverse", &z, new(big.Int).ModInverse(toBig(x[:]), prime), x, x)
	})
}

func TestConstants(t *testing.T) {
	want := new(big.Int).ModInverse(big.NewInt(121666), prime)
	want.Mul(want, big.NewInt(-121665)).Mod(want, prime)
	if toBig(d[:]).Cmp(want) != 0 {
		t.Error("d is wrong")
	}
	if want.Lsh(want, 1).Mod(want, prime); toBig(d2[:]).Cmp(want) != 0 {
		t.Error("d2 is wrong")
	}
	s := toBig(sqrtM1[:])
	if s.Mul(s, s).Add(s, big.NewInt(1)).Mod(s, prime).Sign() != 0 {
		t.Error("sqrtM1 is wrong")
	}
	var l [32]byte
	if err := scalar.BASEPOINT_ORDER.ToBytes(l[:]); err != nil {
		t.Fatal(err)
	}
	var got Scalar
	if got.SetBytes(&l); got != order {
		t.Error("the group order is wrong")
	}
}

// randomEncodings returns encodings, some of which are no points, some not canonical, some of small order.
func randomEncodings(rng *rand.Rand, n int) [][32]byte {
	out := make([][32]byte, n)
	for i := range out {
		rng.Read(out[i][:])
		switch rng.Intn(8) {
		case 0: // y close to p, both signs
			for j := range out[i] {
				out[i][j] = 0xff
			}
			out[i][0] = byte(rng.Intn(64) + 192)
			out[i][31] = byte(rng.Intn(2))<<7 | 0x7f
		case 1: // y small
			clear(out[i][1:])
			out[i][0] = byte(rng.Intn(20))
			out[i][31] = byte(rng.Intn(2)) << 7
		case 2:
			var c curve.CompressedEdwardsY
			out[i] = *c.SetEdwardsPoint(curve.EIGHT_TORSION[rng.Intn(8)])
		}
	}
	return out
}

func encode(p *Point) (out [32]byte) {
	var all [1][32]byte
	EncodeAll(all[:], []Point{*p}, make([]Element, 1))
	return all[0]
}

func TestDecodeMatchesVoi(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(2))
		encodings := randomEncodings(rng, 3000)
		for i := 1; i < len(encodings); i++ {
			var x, y [2]Element
			ok := DecodeTwo(&x, &y, [2]*[32]byte{&encodings[i-1], &encodings[i]})
			for j := range ok {
				c := curve.CompressedEdwardsY(encodings[i-1+j])
				var want curve.EdwardsPoint
				_, err := want.SetCompressedY(&c)
				var x1, y1 Element
				if single := Decode(&x1, &y1, &encodings[i-1+j]); single != (err == nil) || ok[j] != single {
					t.Fatalf("%x: decodes %v, alone %v, voi: %v", c, ok[j], single, err)
				}
				if err != nil {
					continue
				}
				if !x1.Equal(&x[j]) || !y1.Equal(&y[j]) {
					t.Fatalf("%x: decoded differently in a pair", c)
				}
				var p Point
				p.SetAffine(&x[j], &y[j])
				if got := encode(&p); got != *c.SetEdwardsPoint(&want) {
					t.Fatalf("%x: decoded to %x", encodings[i-1+j], got)
				}
				if p.IsTorsion() != want.IsSmallOrder() {
					t.Fatalf("%x: torsion %v", encodings[i-1+j], p.IsTorsion())
				}
			}
		}
	})
}

// randomScalar is below the group order, often close to a limit.
func randomScalar(rng *rand.Rand) (s Scalar, voi scalar.Scalar) {
	var b [32]byte
	switch rng.Intn(5) {
	case 0:
		for i := range b {
			b[i] = 0xff
		}
		b[rng.Intn(32)] = byte(rng.Intn(256))
		b[31] = 0x0f
	case 1:
		b[rng.Intn(31)] = 1 << rng.Intn(8)
	case 2:
		voi.Sub(scalar.New(), scalar.NewFromUint64(uint64(1+rng.Intn(1000))))
		if err := voi.ToBytes(b[:]); err != nil {
			panic(err)
		}
	default:
		rng.Read(b[:])
		b[31] &= 0x0f
	}
	if _, err := voi.SetBytesModOrder(b[:]); err != nil {
		panic(err)
	}
	if err := voi.ToBytes(b[:]); err != nil {
		panic(err)
	}
	s.SetBytes(&b)
	return
}

func randomPoint(rng *rand.Rand) (x, y Element, n Niels, voi curve.EdwardsPoint) {
	for {
		for _, e := range randomEncodings(rng, 1) {
			if Decode(&x, &y, &e) {
				n.SetAffine(&x, &y)
				c := curve.CompressedEdwardsY(e)
				if _, err := voi.SetCompressedY(&c); err != nil {
					panic(err)
				}
				return
			}
		}
	}
}

func sameAsVoi(t *testing.T, what string, p *Point, want *curve.EdwardsPoint) {
	t.Helper()
	var c curve.CompressedEdwardsY
	if got := encode(p); got != *c.SetEdwardsPoint(want) {
		t.Fatalf("%s: got %x, voi has %x", what, got, c)
	}
	var check Element
	var xy, zt Element
	mul(&xy, &p.X, &p.Y)
	mul(&zt, &p.Z, &p.T)
	if check.Sub(&xy, &zt); !check.IsZero() {
		t.Fatalf("%s: X·Y is not Z·T", what)
	}
}

func TestPointsMatchVoi(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(3))
		for range 2000 {
			x, y, _, a := randomPoint(rng)
			_, _, n, b := randomPoint(rng)
			var p, q Point
			p.SetAffine(&x, &y)
			p.Double(2)
			a.Add(&a, &a)
			a.Add(&a, &a)
			sameAsVoi(t, "doubled", &p, &a)
			neg := uint64(rng.Intn(2))
			q = p
			q.AddNiels(&n, neg)
			if neg == 1 {
				b.Neg(&b)
			}
			a.Add(&a, &b)
			sameAsVoi(t, "sum with an affine point", &q, &a)
			p.Add(&q, neg)
			a.Identity() // p is now 4a ± 4a ± n
			c := curve.CompressedEdwardsY(encode(&q))
			if _, err := a.SetCompressedY(&c); err != nil {
				t.Fatal(err)
			}
			if neg == 1 {
				continue
			}
			p.Add(&q, 1)
			p.Add(&p, 0)
			_ = encode(&p)
		}
	})
}

func TestTablesMatchVoi(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(4))
		var walk Walk
		for width := 2; width <= 10; width++ {
			x, y, _, a := randomPoint(rng)
			table := NewTable(&x, &y, width)
			for range 30 {
				s, v := randomScalar(rng)
				var want curve.EdwardsPoint
				want.MultiscalarMulVartime([]*scalar.Scalar{&v}, []*curve.EdwardsPoint{&a})
				var p Point
				p.Identity()
				walk.Add(table, &s, 0)
				walk.End()
				walk.End()
				walk.Add(table, &s, 1)
				walk.End()
				sums := [3]Point{p, p, p}
				walk.Sums(sums[:])
				sameAsVoi(t, "multiple", &sums[0], &want)
				sameAsVoi(t, "empty sum", &sums[1], curve.NewEdwardsPoint())
				sameAsVoi(t, "negated multiple", &sums[2], new(curve.EdwardsPoint).Neg(&want))
				table.Multiply(&p, &s)
				sameAsVoi(t, "multiple in constant time", &p, &want)
			}
		}
	})
}

// A multiple by a comb is that of voi, but for a part of small order.
func TestCombMatchesVoi(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(14))
		var comber Comber
		var comb Comb
		for i := range 300 {
			_, _, n, a := randomPoint(rng)
			comber.Make(&comb, &n)
			s, v := randomScalar(rng)
			if i < 4 { // 0, 1, 2, l-1
				s, v = Scalar{uint64(i)}, *scalar.NewFromUint64(uint64(i))
				if i == 3 {
					s = order
					s[0]--
					v.Neg(scalar.NewFromUint64(1))
				}
			}
			var want curve.EdwardsPoint
			want.MultiscalarMulVartime([]*scalar.Scalar{&v}, []*curve.EdwardsPoint{&a})
			want.MulByCofactor(&want)
			var p Point
			comb.Multiply(&p, &s)
			p.Double(3)
			sameAsVoi(t, "multiple by a comb", &p, &want)
		}
	})
}

func TestSumMatchesVoi(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewSource(5))
		var summer Summer
		for _, n := range []int{0, 1, 2, 3, 10, 60, 300, 379, 380, 520, 950} {
			terms := make([]Term, n)
			var scalars []*scalar.Scalar
			var points []*curve.EdwardsPoint
			for i := range terms {
				_, _, p, vp := randomPoint(rng)
				s, vs := randomScalar(rng)
				size := 253
				if rng.Intn(2) == 0 {
					s[2], s[3], size = 0, 0, 126
					s[1] &= 1<<62 - 1
					var b [32]byte
					for j := range 16 {
						b[j] = byte(s[j/8] >> (8 * (j % 8)))
					}
					if _, err := vs.SetCanonicalBytes(b[:]); err != nil {
						t.Fatal(err)
					}
				}
				terms[i] = Term{Point: &p, Scalar: s, Size: size}
				scalars, points = append(scalars, &vs), append(points, &vp)
			}
			var want curve.EdwardsPoint
			want.MultiscalarMulVartime(scalars, points)
			var got Point
			summer.interleave(&got, terms)
			sameAsVoi(t, "interleaved sum", &got, &want)
			summer.bucket(&got, terms, 5+rng.Intn(5))
			sameAsVoi(t, "sum by buckets", &got, &want)
		}
	})
}

func TestWideSumMatchesBig(t *testing.T) {
	rng := rand.New(rand.NewSource(6))
	var sum WideSum
	want := new(big.Int)
	for range 5000 {
		s, _ := randomScalar(rng)
		lo, hi := rng.Uint64()|1<<63, rng.Uint64()>>2|1<<61
		if rng.Intn(2) == 0 {
			lo, hi = ^uint64(0), 1<<62-1
		}
		sum.AddProduct(lo, hi, &s)
		want.Add(want, new(big.Int).Mul(toBig([]uint64{lo, hi}), toBig(s[:])))
	}
	if toBig(sum[:]).Cmp(want) != 0 {
		t.Fatal("sum of products differs")
	}
	// The largest product, as often as promised, stays below 2^448.
	limit := new(big.Int).Lsh(big.NewInt(wideProducts), 126+253)
	if limit.BitLen() > 448 {
		t.Fatal("the sum can overflow")
	}
}

func TestRecodeMatchesBig(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for range 20000 {
		s, _ := randomScalar(rng)
		width := 2 + rng.Intn(13)
		size := 253
		if rng.Intn(2) == 0 {
			s[2], s[3], size = 0, 0, 126
			s[1] &= 1<<62 - 1
		}
		if rng.Intn(3) == 0 { // all ones: the longest carries
			for i := range s {
				s[i] = ^uint64(0)
			}
			s[3] >>= 3
			if size == 126 {
				s[1], s[2], s[3] = 1<<62-1, 0, 0
			}
		}
		digits := make([]int16, windows(size, width))
		s.recode(digits, width)
		got := new(big.Int)
		for i := len(digits) - 1; i >= 0; i-- {
			got.Lsh(got, uint(width)).Add(got, big.NewInt(int64(digits[i])))
		}
		if got.Cmp(toBig(s[:])) != 0 {
			t.Fatalf("%x in digits of %d bits: %v", s, width, digits)
		}
		var naf [nafDigits]int8
		top := s.nonAdjacent(&naf)
		got.SetInt64(0)
		for i := top - 1; i >= 0; i-- {
			got.Lsh(got, 1).Add(got, big.NewInt(int64(naf[i])))
		}
		if got.Cmp(toBig(s[:])) != 0 {
			t.Fatalf("%x in non-adjacent form: %v", s, naf)
		}
	}
}

func TestHalvesMatchBig(t *testing.T) {
	rng := rand.New(rand.NewSource(8))
	l := toBig(order[:])
	check := func(k Scalar) {
		a, b, negative := Halves(&k)
		if a.size() > 127 || b.size() > 126 || b.IsZero() {
			t.Fatalf("%x: %x and %x are too large, or zero", k, a, b)
		}
		want := new(big.Int).Mul(toBig(b[:]), toBig(k[:]))
		if negative {
			want.Neg(want)
		}
		if want.Mod(want, l).Cmp(toBig(a[:])) != 0 {
			t.Fatalf("%x: %x is not %x times that", k, a, b)
		}
	}
	check(Scalar{})
	check(Scalar{1})
	check(Scalar{0, 1 << 63})
	check(Scalar{0, 0, 1})
	for n := range 253 {
		var k Scalar
		k[n/64] = 1 << (n % 64)
		check(k)
		k[0] |= 1
		check(k)
	}
	for n := range uint64(300) { // close to l, l/2 and l/3
		for by := range uint64(3) {
			var k Scalar
			limbs := new(big.Int).Div(l, new(big.Int).SetUint64(by+1))
			limbs.Sub(limbs, new(big.Int).SetUint64(n+1))
			for i, word := range limbs.Bits() {
				k[i] = uint64(word)
			}
			check(k)
		}
	}
	for range 30000 {
		s, _ := randomScalar(rng)
		check(s)
	}
}

func BenchmarkHalves(b *testing.B) {
	rng := rand.New(rand.NewSource(9))
	var bytes [32]byte
	rng.Read(bytes[:])
	bytes[31] &= 0x0f
	var k Scalar
	k.SetBytes(&bytes)
	for b.Loop() {
		Halves(&k)
	}
}

func BenchmarkElement(b *testing.B) {
	x, y := Element{1, 2, 3, 4}, Element{5, 6, 7, 8}
	b.Run("mul", func(b *testing.B) {
		for b.Loop() {
			mul(&x, &x, &y)
		}
	})
	b.Run("square", func(b *testing.B) {
		for b.Loop() {
			square(&x, &x, 1)
		}
	})
}

func BenchmarkPoint(b *testing.B) {
	rng := rand.New(rand.NewSource(8))
	x, y, n, _ := randomPoint(rng)
	var p Point
	p.SetAffine(&x, &y)
	var c Cached
	c.SetPoint(&p)
	b.Run("add-affine", func(b *testing.B) {
		for b.Loop() {
			p.AddNiels(&n, 0)
		}
	})
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			p.AddCached(&c, 0)
		}
	})
	b.Run("double", func(b *testing.B) {
		for b.Loop() {
			p.Double(1)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			Decode(&x, &y, &basePoint)
		}
	})
	b.Run("decode-two", func(b *testing.B) {
		var x, y [2]Element
		for b.Loop() {
			DecodeTwo(&x, &y, [2]*[32]byte{&basePoint, &basePoint})
		}
	})
}

func BenchmarkTable(b *testing.B) {
	rng := rand.New(rand.NewSource(9))
	var s [64]Scalar
	for i := range s {
		var bytes [32]byte
		rng.Read(bytes[:])
		bytes[31] &= 0x0f
		s[i].SetBytes(&bytes)
	}
	for _, width := range []int{8, 10, 12} {
		table := NewBaseTable(width)
		b.Run(fmt.Sprintf("walk/width=%d", width), func(b *testing.B) {
			var walk Walk
			var sums [64]Point
			for b.Loop() {
				for i := range s {
					walk.Add(table, &s[i], 0)
					walk.End()
					sums[i].Identity()
				}
				walk.Sums(sums[:])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*len(s)), "µs/multiple")
		})
		b.Run(fmt.Sprintf("new/width=%d", width), func(b *testing.B) {
			for b.Loop() {
				NewBaseTable(width)
			}
		})
	}
	table := NewBaseTable(5)
	b.Run("constant-time/width=5", func(b *testing.B) {
		var p Point
		for b.Loop() {
			table.Multiply(&p, &s[0])
		}
	})
}

// BenchmarkSum is for choosing between the two methods, and the width of the windows: see bucketTerms and bucketWidth.
func BenchmarkSum(b *testing.B) {
	rng := rand.New(rand.NewSource(10))
	terms := make([]Term, 2200)
	for i := range terms {
		_, _, p, _ := randomPoint(rng)
		var bytes [32]byte
		rng.Read(bytes[:])
		bytes[31] &= 0x0f
		terms[i] = Term{Point: &p, Size: scalarSize}
		if terms[i].Scalar.SetBytes(&bytes); i%2 == 0 {
			terms[i].Size = 126
			terms[i].Scalar[1] &= 1<<62 - 1
			terms[i].Scalar[2], terms[i].Scalar[3] = 0, 0
		}
	}
	var s Summer
	var p Point
	for _, n := range []int{2, 16, 64, 128, 256, 380, 512, 1024, 2048} {
		perTerm := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/term")
		}
		if n <= 512 {
			b.Run(fmt.Sprintf("terms=%d/method=interleave", n), func(b *testing.B) {
				for b.Loop() {
					s.interleave(&p, terms[:n])
				}
				perTerm(b)
			})
		}
		if n < 64 {
			continue
		}
		for width := 5; width <= 9; width++ {
			b.Run(fmt.Sprintf("terms=%d/method=bucket/width=%d", n, width), func(b *testing.B) {
				for b.Loop() {
					s.bucket(&p, terms[:n], width)
				}
				perTerm(b)
			})
		}
	}
}
