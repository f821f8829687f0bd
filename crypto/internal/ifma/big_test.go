package ifma

import (
	"math/big"
	"slices"
	"testing"
)

// What an operation on points means is written here with math/big. It is a polynomial of the coordinates (Hisil, Wong, Carter and
// Dawson, 2008, section 3, a = -1), so a lane need not be a point. Kernels that add many points in a call are compared with twins
// made of these operations.

var (
	bigD    = new(big.Int).Mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), bigP)), bigP)
	bigTwoD = new(big.Int).Lsh(bigD, 1)
	bigTwo  = big.NewInt(2)
)

type bigPoint struct{ sum, diff, z, t *big.Int }

func (p *lanePoint) big() bigPoint {
	return bigPoint{p.sum.big(), p.diff.big(), p.z.big(), p.t.big()}
}

// bigProduct is the product modulo p.
func bigProduct(a, b *big.Int) *big.Int {
	r := new(big.Int).Mul(a, b)
	return r.Mod(r, bigP)
}

func bigSum(a, b *big.Int) *big.Int        { return new(big.Int).Add(a, b) }
func bigDifference(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

// bigFinish is the point with X = EF, Y = GH, Z = FG and T = EH.
func bigFinish(e, f, g, h *big.Int) bigPoint {
	x, y := bigProduct(e, f), bigProduct(g, h)
	return bigPoint{bigSum(y, x), bigDifference(y, x), bigProduct(f, g), bigProduct(e, h)}
}

// addEntry adds the point of which 2Z and 2dT are given.
func (p bigPoint) addEntry(sum, diff, twoZ, twoDT *big.Int) bigPoint {
	a, b, c, d := bigProduct(p.diff, diff), bigProduct(p.sum, sum), bigProduct(p.t, twoDT), bigProduct(p.z, twoZ)
	return bigFinish(bigDifference(b, a), bigDifference(d, c), bigSum(d, c), bigSum(b, a))
}

func (p bigPoint) add(q bigPoint) bigPoint {
	return p.addEntry(q.sum, q.diff, bigProduct(q.z, bigTwo), bigProduct(q.t, bigTwoD))
}

// double has the formula of its own: with A = (Y+X)^2 and B = (Y-X)^2, E = A-B, H = A+B, G = 2(Y+X)(Y-X), F = 4Z^2-G.
func (p bigPoint) double() bigPoint {
	a, b, g := bigProduct(p.sum, p.sum), bigProduct(p.diff, p.diff), bigProduct(bigProduct(p.sum, p.diff), bigTwo)
	z := bigProduct(bigProduct(p.z, p.z), big.NewInt(4))
	return bigFinish(bigDifference(a, b), bigDifference(z, g), g, bigSum(a, b))
}

func (p bigPoint) doubleTimes(n int) bigPoint {
	for range n {
		p = p.double()
	}
	return p
}

// requireBig compares modulo p.
func requireBig(t *testing.T, what string, got lanePoint, want bigPoint) {
	t.Helper()
	g := got.big()
	for i, pair := range [][2]*big.Int{{g.sum, want.sum}, {g.diff, want.diff}, {g.z, want.z}, {g.t, want.t}} {
		if d := bigDifference(pair[0], pair[1]); d.Mod(d, bigP).Sign() != 0 {
			t.Fatalf("%s: coordinate %d is %x, want %x mod p", what, i, pair[0], pair[1])
		}
	}
}

func TestPointsVsBig(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	for range rounds(laneOperations) {
		p, q := weirdPoint(r), weirdPoint(r)
		var sum, mixed, double Point
		addPoints(&sum, &p, &q, &s.constants.twoD, &s.room)
		addMixed(&mixed, &p, &Affine{q.Sum, q.Diff, q.T}, &s.room)
		doublePoint(&double, &p, &s.room)
		n, more := 1+r.IntN(3), p
		doubleTimes(&more, n, &s.room)
		for l := range Lanes {
			a, b := ptr(p.lane(l)).big(), ptr(q.lane(l)).big()
			requireBig(t, "addPoints", sum.lane(l), a.add(b))
			requireBig(t, "addMixed", mixed.lane(l), a.addEntry(b.sum, b.diff, bigTwo, b.t))
			requireBig(t, "doublePoint", double.lane(l), a.double())
			requireBig(t, "doubleTimes", more.lane(l), a.doubleTimes(n))
		}
	}
}

func TestQuadVsBig(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		p, n := quad(weirdElement(r, looseLimit)), 1+r.IntN(3)
		entries := [2]quadEntry{weirdEntry(r), weirdEntry(r)}
		sum, double := p, p
		quadAdd(&sum, &entries[0], &entries[1])
		quadDouble(&double, n)
		for half := range 2 {
			var e [quadHalf]*big.Int
			for k := range e {
				var v lane
				for i := range v {
					v[i] = entries[half][i][k]
				}
				e[k] = v.big()
			}
			a := ptr(p.point(half)).big()
			requireBig(t, "quadAdd", sum.point(half), a.addEntry(e[0], e[1], e[2], e[3]))
			requireBig(t, "quadDouble", double.point(half), a.doubleTimes(n))
		}
	}
}

// TestDecodingVsBig: a lane is good exactly if (y^2-1)/(dy^2+1) is a square, and then x is its root with the sign asked for.
func TestDecodingVsBig(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	weird := weirdEncodings()
	for range rounds(laneOperations) / 2 {
		var b [decodePoints][32]byte
		for i := range b {
			if b[i] = randomEncoding(r); r.IntN(8) == 0 {
				b[i] = weird[r.IntN(len(weird))]
			}
		}
		good := s.decodePair(&b[0][0], 32)
		for i := range b {
			sign := uint(b[i][31] >> 7)
			e := b[i]
			e[31] &= 0x7f
			slices.Reverse(e[:])
			y := new(big.Int).SetBytes(e[:])
			y2 := bigProduct(y, y)
			u, v := bigDifference(y2, big.NewInt(1)), bigSum(bigProduct(y2, bigD), big.NewInt(1))
			x := s.decode.x[i/Lanes].lane(i % Lanes).big()
			x.Mod(x, bigP)
			ok := big.Jacobi(bigProduct(u, v), bigP) >= 0 // v is never 0, since -1/d is not a square
			switch {
			case ok != (good>>i&1 != 0):
				t.Fatalf("%x: good is %v, want %v", b[i], !ok, ok)
			case !ok:
			case bigProduct(bigProduct(x, x), v).Cmp(u.Mod(u, bigP)) != 0:
				t.Fatalf("%x: x = %x is no root", b[i], x)
			case x.Sign() != 0 && x.Bit(0) != sign:
				t.Fatalf("%x: x = %x has the other sign", b[i], x)
			}
		}
	}
}

func TestEncodingVsBig(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	row := func(v *big.Int, sign uint) []byte {
		b := littleEndian(v.Mod(v, bigP))
		b[31] |= byte(sign << 7)
		return b[:]
	}
	for range rounds(laneOperations) {
		p := weirdPoint(r)
		p.Sum, p.Diff = weirdElement(r, reducedLimit), weirdElement(r, reducedLimit)
		inverse := weirdElement(r, reducedLimit)
		var w Words
		encode(&w, &p, &inverse)
		var encodings [Lanes][32]byte
		storeRows(&w, &encodings[0][0], 32)
		var rows [Lanes][entryBytes]byte
		entries(&rows[0][0], &p, &inverse, &s.constants.halfD, &s.room)
		halfD := s.constants.halfD.lane(0).big()
		for l := range Lanes {
			sum, diff, inv := p.Sum.lane(l).big(), p.Diff.lane(l).big(), inverse.lane(l).big()
			x, y := bigProduct(bigDifference(sum, diff), inv), bigProduct(bigSum(sum, diff), inv)
			if want := row(y, x.Bit(0)); !slices.Equal(encodings[l][:], want) {
				t.Fatalf("encode %x: %x, want %x", p.lane(l), encodings[l], want)
			}
			sum, diff = bigProduct(bigProduct(sum, bigTwo), inv), bigProduct(bigProduct(diff, bigTwo), inv)
			d := bigProduct(bigDifference(bigProduct(sum, sum), bigProduct(diff, diff)), halfD)
			if want := slices.Concat(row(sum, 0), row(diff, 0), row(d, 0)); !slices.Equal(rows[l][:], want) {
				t.Fatalf("entries of %x: %x, want %x", p.lane(l), rows[l], want)
			}
		}
	}
}
