package lanes

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"testing"
)

// checkReduced compares both ways to reduce, and Reduce, with math/big.
func checkReduced(t *testing.T, in *[Lanes]Wide) {
	t.Helper()
	var kernel, twin [Lanes][32]byte
	reduceWide8(&kernel, wideRows(in))
	reduceWide8Generic(&twin, wideRows(in))
	for l := range in {
		x := fromWords(in[l][:])
		want := wantReduced(x)
		if kernel[l] != want || twin[l] != want {
			t.Fatalf("%x mod l: kernel %x, twin %x, want %x", x, kernel[l], twin[l], want)
		}
	}
}

func TestReduceMatchesBigAtEdges(t *testing.T) {
	all := edges()
	for len(all)%Lanes != 0 {
		all = append(all, Wide{})
	}
	for i := 0; i < len(all); i += Lanes {
		checkReduced(t, (*[Lanes]Wide)(all[i:]))
	}
}

func TestReduceMatchesBig(t *testing.T) {
	r := newRand(t)
	for range ops(laneOps) / Lanes {
		var in [Lanes]Wide
		for l := range in {
			weird(in[l][:], r)
		}
		checkReduced(t, &in)
	}
}

// TestReduceMatchesGeneric is the long run without math/big: 10^6 lanes for each of the two entries.
func TestReduceMatchesGeneric(t *testing.T) {
	r := newRand(t)
	for range ops(laneOps) / Lanes {
		var in [Lanes]Wide
		var state hashState
		for l := range in {
			for i := range in[l] {
				in[l][i] = weirdWord(r)
				state[i][l] = weirdWord(r)
			}
		}
		var got, want [Lanes][32]byte
		reduceWide8(&got, wideRows(&in))
		if reduceWide8Generic(&want, wideRows(&in)); got != want {
			t.Fatalf("%x: got %x, want %x", in, got, want)
		}
		reduceHash8(&got, &state)
		if reduceHash8Generic(&want, &state); got != want {
			t.Fatalf("hashes %x: got %x, want %x", state, got, want)
		}
	}
}

func TestReduceWideCounts(t *testing.T) {
	r := newRand(t)
	var s Scratch
	for n := range 40 {
		in, got := make([]Wide, n), make([][32]byte, n)
		for i := range in {
			weird(in[i][:], r)
		}
		ReduceWide(got, in, &s)
		for i := range in {
			if want := wantReduced(fromWords(in[i][:])); got[i] != want {
				t.Fatalf("number %d of %d: got %x, want %x", i, n, got[i], want)
			}
		}
	}
}

func TestReduceBytes(t *testing.T) {
	r := newRand(t)
	for range 1000 {
		in := [64]byte(randomBytes(r, 64))
		var got [32]byte
		if Reduce(&got, &in); got != wantReduced(fromBytes(in[:])) {
			t.Fatalf("%x: got %x", in, got)
		}
	}
}

func wantMulAdd(k, r, a *[32]byte) [32]byte {
	x := new(big.Int).Mul(fromBytes(k[:]), fromBytes(a[:]))
	return wantReduced(x.Add(x, fromBytes(r[:])))
}

func TestMulAddMatchesGeneric(t *testing.T) {
	r := newRand(t)
	fill := func(x *[Lanes][32]byte) {
		for l := range x {
			var w [4]uint64
			for i := range w {
				w[i] = weirdWord(r)
			}
			putWords(&x[l], &w)
		}
	}
	var k, addend, got, want [Lanes][32]byte
	for range ops(laneOps) / Lanes {
		fill(&k)
		fill(&addend)
		a := k[r.IntN(Lanes)]
		mulAdd8(&got, &k, &addend, &a)
		if mulAdd8Generic(&want, &k, &addend, &a); got != want {
			t.Fatalf("%x * %x + %x: got %x, want %x", k, a, addend, got, want)
		}
	}
}

func TestMulAddMatchesBig(t *testing.T) {
	r := newRand(t)
	var s Scratch
	ones := [32]byte(bytes.Repeat([]byte{0xff}, 32))
	for round := range ops(laneOps) / 16 {
		n := r.IntN(33)
		k, addend, got := make([][32]byte, n), make([][32]byte, n), make([][32]byte, n)
		var a [32]byte
		weirdScalar(&a, r)
		for i := range n {
			weirdScalar(&k[i], r)
			weirdScalar(&addend[i], r)
			if round < 2 { // the largest product that there is
				k[i], addend[i], a = ones, ones, ones
			}
		}
		want := make([][32]byte, n)
		for i := range want {
			want[i] = wantMulAdd(&k[i], &addend[i], &a)
		}
		switch r.IntN(4) { // every aliasing of the results
		case 0:
			MulAdd(got, k, addend, &a, &s)
		case 1:
			MulAdd(k, k, addend, &a, &s)
			got = k
		case 2:
			MulAdd(addend, k, addend, &a, &s)
			got = addend
		case 3:
			for i := range want {
				want[i] = wantMulAdd(&k[i], &k[i], &a)
			}
			MulAdd(k, k, k, &a, &s)
			got = k
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("scalar %d of %d: got %x, want %x", i, n, got[i], want[i])
			}
		}
	}
}

func TestIsCanonicalMatchesBig(t *testing.T) {
	r := newRand(t)
	check := func(s *[32]byte) {
		if got, want := IsCanonical(s), fromBytes(s[:]).Cmp(bigOrder) < 0; got != want {
			t.Fatalf("%x: got %v, want %v", *s, got, want)
		}
	}
	for _, w := range edges() {
		var s [32]byte
		putWords(&s, (*[4]uint64)(w[:4]))
		check(&s)
	}
	for range ops(laneOps) {
		var s [32]byte
		weirdScalar(&s, r)
		check(&s)
	}
}

// TestSumsMatchBig sums products for keys that come back, and reduces once.
func TestSumsMatchBig(t *testing.T) {
	r := newRand(t)
	var scratch Scratch
	const keys = 11
	for range 50 {
		sums, got := make([]Wide, keys), make([][32]byte, keys)
		want := make([]*big.Int, keys)
		for i := range want {
			want[i] = new(big.Int)
		}
		for range 300 {
			var z [16]byte
			var k [32]byte
			weirdScalar(&k, r)
			copy(z[:], k[:]) // sometimes at its limits as well
			weirdScalar(&k, r)
			key := r.IntN(keys)
			sums[key].AddProduct(&z, &k)
			sums[key].AddScalar(&k)
			want[key].Add(want[key], new(big.Int).Mul(fromBytes(z[:]), fromBytes(k[:])))
			want[key].Add(want[key], fromBytes(k[:]))
		}
		ReduceWide(got, sums, &scratch)
		for i := range got {
			if fromWords(sums[i][:]).Cmp(want[i]) != 0 || got[i] != wantReduced(want[i]) {
				t.Fatalf("key %d: sum %x, reduced %x, want %x", i, sums[i], got[i], want[i])
			}
		}
	}
}

// TestSumsHoldTheLargestBatch adds the largest product until a sum is near its limit; doubling stands for the 2^127 terms
// that it takes to get there.
func TestSumsHoldTheLargestBatch(t *testing.T) {
	z := [16]byte(bytes.Repeat([]byte{0xff}, 16))
	k := [32]byte(bytes.Repeat([]byte{0xff}, 32))
	product := new(big.Int).Mul(fromBytes(z[:]), fromBytes(k[:]))
	var sum Wide
	want := new(big.Int)
	for doubled := 0; doubled < 127; doubled++ {
		for i := len(sum) - 1; i >= 0; i-- {
			sum[i] <<= 1
			if i > 0 {
				sum[i] |= sum[i-1] >> 63
			}
		}
		sum.AddProduct(&z, &k)
		want.Lsh(want, 1).Add(want, product)
		if fromWords(sum[:]).Cmp(want) != 0 {
			t.Fatalf("after %d doublings: got %x, want %x", doubled, sum, want)
		}
	}
	var reduced [1][32]byte
	if ReduceWide(reduced[:], []Wide{sum}, new(Scratch)); reduced[0] != wantReduced(want) {
		t.Fatalf("reduced: got %x", reduced[0])
	}
}

func FuzzReduceMatchesBig(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add(bytes.Repeat([]byte{0xff}, 512))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in [Lanes]Wide
		for i := range min(len(data), Lanes*64) {
			in[i/64][i%64/8] |= uint64(data[i]) << (i % 8 * 8)
		}
		checkReduced(t, &in)
	})
}

func FuzzMulAddMatchesBig(f *testing.F) {
	f.Add(make([]byte, 96), uint8(1))
	f.Add(bytes.Repeat([]byte{0xff}, 96), uint8(9))
	f.Fuzz(func(t *testing.T, data []byte, count uint8) {
		data = append(data, make([]byte, 96)...)
		n := int(count) % 20
		var s Scratch
		k, r, got := make([][32]byte, n), make([][32]byte, n), make([][32]byte, n)
		a := [32]byte(data)
		for i := range n {
			k[i] = [32]byte(data[(7*i)%(len(data)-31):])
			r[i] = [32]byte(data[(5*i+32)%(len(data)-31):])
		}
		MulAdd(got, k, r, &a, &s)
		for i := range got {
			if want := wantMulAdd(&k[i], &r[i], &a); got[i] != want {
				t.Fatalf("%x * %x + %x: got %x, want %x", k[i], a, r[i], got[i], want)
			}
		}
	})
}

func randomScalars(r *rand.Rand, n int) [][32]byte {
	s := make([][32]byte, n)
	for i := range s {
		s[i] = wantReduced(fromBytes(randomBytes(r, 64)))
	}
	return s
}

func TestScalarsDoNotAllocate(t *testing.T) {
	r := newRand(t)
	s := new(Scratch)
	k, a := randomScalars(r, 11), randomScalars(r, 1)
	wide := make([]Wide, 11)
	var z [16]byte
	if n := testing.AllocsPerRun(20, func() {
		MulAdd(k, k, k, &a[0], s)
		wide[0].AddProduct(&z, &k[0])
		ReduceWide(k, wide, s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
