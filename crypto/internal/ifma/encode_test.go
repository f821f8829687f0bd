package ifma

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// weirdEncodings are the encodings where decoders differ: y of 0 to 40, y from p-40 to 2^255-1 (the last nineteen are
// not canonical), both signs, and the points of small order.
func weirdEncodings() (all [][32]byte) {
	for i := int64(-40); i <= 40; i++ {
		y := big.NewInt(i)
		if i < 0 {
			y.Add(bigP, y)
		}
		all = append(all, littleEndian(y))
	}
	for i := range int64(19) {
		all = append(all, littleEndian(new(big.Int).Add(bigP, big.NewInt(i))))
	}
	for _, p := range smallOrderPoints() {
		all = append(all, compressed(p))
	}
	for _, b := range all {
		b[31] ^= 0x80
		all = append(all, b)
	}
	return all
}

func randomEncoding(r *rand.Rand) (b [32]byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestDecodeVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		all := weirdEncodings()
		n := 20_000
		if testing.Short() {
			n = 500
		}
		for range n {
			if r.IntN(2) == 0 {
				all = append(all, randomEncoding(r))
			} else {
				all = append(all, compressed(randomPoint(r)))
			}
		}
		for first := 0; first+decodePoints <= len(all); first += decodePoints {
			// 40 bytes apart, to try a stride that is not the size
			var rows [decodePoints][40]byte
			for i := range rows {
				copy(rows[i][:], all[first+i][:])
			}
			points := s.decodePair(&rows[0][0], 40)
			var got [2][Lanes][32]byte
			for g := range got {
				var p Point
				s.setAffine(&p, &s.decode.x[g], &s.decode.y[g])
				requireClass(t, &s.decode.x[g], reducedLimit)
				got[g] = encoded(s, p)
			}
			for i := range rows {
				var p curve.EdwardsPoint
				_, err := p.SetCompressedY((*curve.CompressedEdwardsY)(all[first+i][:]))
				if ok := points>>i&1 != 0; ok != (err == nil) {
					t.Fatalf("%x: decoded %v, want %v", all[first+i], ok, err)
				}
				if want := compressed(&p); err == nil && got[i/Lanes][i%Lanes] != want {
					t.Fatalf("%x: got %x, want %x", all[first+i], got[i/Lanes][i%Lanes], want)
				}
			}
		}
	})
}

func TestRowsVsTwins(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		var rows [Lanes][64]byte
		var w Words
		for l := range Lanes {
			b := randomEncoding(r)
			copy(rows[l][:], b[:])
			for i, x := range wordsOf(b[:]) {
				w[i][l] = x
			}
			if r.IntN(2) == 0 {
				w[r.IntN(4)][l] ^= 1 << r.IntN(64)
			}
		}
		var e, twin Element
		if a, b := unpackRows(&e, &rows[0][0], 64), unpackRowsGeneric(&twin, &rows[0][0], 64); a != b || e != twin {
			t.Fatalf("unpack %x: %x %x, twin %x %x", rows, a, e, b, twin)
		}
		if a, b := matchRows(&w, &rows[0][0], 64), matchRowsGeneric(&w, &rows[0][0], 64); a != b {
			t.Fatalf("match %x with %x: %b, twin %b", rows, w, a, b)
		}
		var out, outTwin [Lanes * 32]byte
		storeRows(&w, &out[0], 32)
		if storeRowsGeneric(&w, &outTwin[0], 32); out != outTwin {
			t.Fatalf("store %x: %x, twin %x", w, out, outTwin)
		}
	}
}

func TestEncodingVsTwins(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	for range rounds(laneOperations) {
		p := weirdPoint(r)
		p.Sum, p.Diff = weirdElement(r, reducedLimit), weirdElement(r, reducedLimit)
		inverse := weirdElement(r, reducedLimit)
		var w, wTwin Words
		encode(&w, &p, &inverse)
		if encodeGeneric(&wTwin, &p, &inverse); w != wTwin {
			t.Fatalf("encode %x: %x, twin %x", p, w, wTwin)
		}
		var rows, rowsTwin [Lanes * entryBytes]byte
		entries(&rows[0], &p, &inverse, &s.constants.halfD, &s.room)
		if entriesGeneric(&rowsTwin[0], &p, &inverse, &s.constants.halfD, nil); rows != rowsTwin {
			t.Fatalf("entries of %x: %x, twin %x", p, rows, rowsTwin)
		}
		u, check := weirdElement(r, reducedLimit), weirdElement(r, reducedLimit)
		for l := range Lanes {
			switch r.IntN(3) {
			case 0:
				check.setLane(l, u.lane(l).canonical())
			case 1:
				check.setLane(l, lane{}.minus(u.lane(l).canonical(), biasTwice).carry())
			}
		}
		var x, xTwin Element
		signs := uint64(r.IntN(256))
		a := root(&x, &p.Sum, &check, &u, &s.constants.sqrtM1, signs, &s.room)
		if b := rootGeneric(&xTwin, &p.Sum, &check, &u, &s.constants.sqrtM1, signs, nil); a != b || x != xTwin {
			t.Fatalf("root: %b %x, twin %b %x", a, x, b, xTwin)
		}
	}
}

func TestCanonicalVsBig(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		v := weirdLane(r, reducedLimit)
		want := v.big()
		if got := v.canonical().big(); got.Cmp(want.Mod(want, bigP)) != 0 {
			t.Fatalf("%x: got %x, want %x", v, got, want)
		}
	}
}
