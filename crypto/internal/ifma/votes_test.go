package ifma

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// testVotes are signatures of the standard library.
type testVotes struct {
	keys       []int32
	signatures [][64]byte
	scalars    [][32]byte
}

// testKey is a key made from a number.
func testKey(i int) ed25519.PrivateKey {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(i))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testKeys(n int) (keys [][32]byte) {
	for i := range n {
		keys = append(keys, [32]byte(testKey(i).Public().(ed25519.PublicKey)))
	}
	return keys
}

// challenge is SHA-512(R, A, M) mod the order.
func challenge(r, a, message []byte) [32]byte {
	h := sha512.New()
	h.Write(r)
	h.Write(a)
	h.Write(message)
	sum := h.Sum(nil)
	slices.Reverse(sum)
	return scalarOf(new(big.Int).SetBytes(sum))
}

// bigOrder is 2^252 + 27742317777372353535851937790883648493.
var bigOrder = func() *big.Int {
	v, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return v.Add(v, new(big.Int).Lsh(big.NewInt(1), 252))
}()

// scalarOf is v mod the order, little-endian.
func scalarOf(v *big.Int) (s [32]byte) {
	new(big.Int).Mod(v, bigOrder).FillBytes(s[:])
	slices.Reverse(s[:])
	return s
}

func makeVotes(n, numKeys int) (v testVotes) {
	for i := range n {
		key := testKey(i % numKeys)
		message := fmt.Appendf(nil, "vote %d", i)
		signature := [64]byte(ed25519.Sign(key, message))
		v.keys = append(v.keys, int32(i%numKeys))
		v.signatures = append(v.signatures, signature)
		v.scalars = append(v.scalars, challenge(signature[:32], key.Public().(ed25519.PublicKey), message))
	}
	return v
}

var sharedVotes = sync.OnceValue(func() testVotes { return makeVotes(2100, 20) })

func newTestTables(t testing.TB, keys [][32]byte, base, key int) *Tables {
	t.Helper()
	tables, err := NewTables(keys, TableOptions{BaseWindow: base, KeyWindow: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	return tables
}

func TestVerifyVotesAcceptsStandardLibrary(t *testing.T) {
	tables := newTestTables(t, testKeys(20), 8, 8)
	eachBackend(t, func(t *testing.T) {
		v, s := sharedVotes(), NewScratch()
		sizes := []int{1, 7, 8, 9, 64, 1023, 1024, 1025, 2100}
		if !useKernels {
			sizes = []int{1, 9, 40}
		}
		for _, n := range sizes {
			ok := make([]bool, n)
			tables.VerifyVotes(ok, v.keys[:n], v.signatures[:n], v.scalars[:n], s)
			for i := range ok {
				if !ok[i] {
					t.Fatalf("batch of %d: vote %d refused", n, i)
				}
			}
		}
	})
}

// One bad signature in a batch is the only one refused, wherever it is and whatever is wrong with it.
func TestVerifyVotesFindsTheBadOne(t *testing.T) {
	tables := newTestTables(t, testKeys(20), 8, 8)
	v, s, r := sharedVotes(), NewScratch(), newRandom(t)
	for _, n := range []int{1, 5, 8, 17, 64, 1100} {
		ok := make([]bool, n)
		for bad := 0; bad < n; bad += 1 + n/100 {
			signature, key := v.signatures[bad], v.keys[bad]
			switch r.IntN(3) {
			case 0: // R
				v.signatures[bad][r.IntN(32)] ^= 1 << r.IntN(8)
			case 1: // S, also beyond the order
				v.signatures[bad][32+r.IntN(32)] ^= 1 << r.IntN(8)
			case 2: // another key
				v.keys[bad] = (key + 1) % 20
			}
			tables.VerifyVotes(ok, v.keys[:n], v.signatures[:n], v.scalars[:n], s)
			for i := range ok {
				if ok[i] != (i != bad) {
					t.Fatalf("batch of %d with vote %d bad: vote %d is %v", n, bad, i, ok[i])
				}
			}
			v.signatures[bad], v.keys[bad] = signature, key
		}
	}
}

// adversarialKeys are keys of small order, in all their encodings, keys with a part of small order, and honest ones.
func adversarialKeys(r *rand.Rand) (keys [][32]byte) {
	for _, b := range weirdEncodings() {
		var p curve.EdwardsPoint
		if _, err := p.SetCompressedY((*curve.CompressedEdwardsY)(b[:])); err == nil {
			keys = append(keys, b)
		}
	}
	for range 20 {
		keys = append(keys, compressed(randomPoint(r)))
	}
	return keys
}

// expectedR is the encoding of [S]B - [k]A, or of [S]B + [order-k]A where k is 2^251 or more. They differ by a point
// of small order if A has one in it; [8] times both is the same, which is checked here.
func expectedR(key, s, k [32]byte) [32]byte {
	var a, exact, folded curve.EdwardsPoint
	if _, err := a.SetCompressedY((*curve.CompressedEdwardsY)(key[:])); err != nil {
		panic(err)
	}
	exact.DoubleScalarMulBasepointVartime(mustScalar(k), new(curve.EdwardsPoint).Neg(&a), mustScalar(s))
	if k[31] < 0x08 {
		return compressed(&exact)
	}
	rest := littleEndian(new(big.Int).Sub(bigOrder, fromLittleEndian(k)))
	folded.DoubleScalarMulBasepointVartime(mustScalar(rest), &a, mustScalar(s))
	difference := new(curve.EdwardsPoint).Sub(&exact, &folded)
	if !difference.IsSmallOrder() {
		panic("folding changed more than the part of small order")
	}
	return compressed(&folded)
}

func mustScalar(b [32]byte) *scalar.Scalar {
	s, err := scalar.NewFromCanonicalBytes(b[:])
	if err != nil {
		panic(err)
	}
	return s
}

// sameButTorsion is the rule of ZIP-215 for R in the arithmetic of voi: it is a point, and 8 times it is 8 times the
// expected one.
func sameButTorsion(r, expected [32]byte) bool {
	var p, q curve.EdwardsPoint
	if _, err := p.SetCompressedY((*curve.CompressedEdwardsY)(r[:])); err != nil {
		return false
	}
	if _, err := q.SetCompressedY((*curve.CompressedEdwardsY)(expected[:])); err != nil {
		panic(err)
	}
	return p.Sub(&p, &q).IsSmallOrder()
}

// For any scalars below the order and any key that decodes, the verdict on any R is that of the cofactored equation in
// the arithmetic of voi: also on another encoding of the same point, and on one that differs by a point of small order.
func TestVerifyVotesVsVoi(t *testing.T) {
	r := newRandom(t)
	keys := adversarialKeys(r)
	sizes := [][2]int{{MinWindow, MinWindow}, {7, 10}, {13, 9}, {14, 12}, {MaxWindow, MinWindow}, {6, MaxWindow}}
	for _, w := range sizes {
		some := keys
		if w[1] > 8 { // large tables: fewer keys of each kind
			some = slices.Concat(keys[:2], keys[len(keys)-4:])
		}
		if !Supported && max(w[0], w[1]) > 10 {
			continue // the twins take seconds for such tables
		}
		tables := newTestTables(t, some, w[0], w[1])
		t.Run(fmt.Sprintf("windows=%d,%d", w[0], w[1]), func(t *testing.T) {
			eachBackend(t, func(t *testing.T) { requireVotesVsVoi(t, r, tables, some) })
		})
	}
}

func requireVotesVsVoi(t *testing.T, r *rand.Rand, tables *Tables, keys [][32]byte) {
	n := 3000
	if testing.Short() || !useKernels {
		n = 80
	}
	var v testVotes
	want := make([]bool, n)
	for i := range n {
		key := r.IntN(len(keys))
		s, k := scalarOf(weirdScalar(r)), scalarOf(weirdScalar(r))
		signature := [64]byte{}
		rBytes := expectedR(keys[key], s, k)
		want[i] = true
		switch r.IntN(8) {
		case 0:
			expected := rBytes
			rBytes[r.IntN(32)] ^= 1 << r.IntN(8)
			want[i] = sameButTorsion(rBytes, expected)
		case 1: // not canonical, if there is such an encoding
			if other, ok := otherEncoding(rBytes); ok {
				rBytes = other
			}
		case 3:
			var p curve.EdwardsPoint
			if _, err := p.SetCompressedY((*curve.CompressedEdwardsY)(rBytes[:])); err != nil {
				panic(err)
			}
			rBytes = compressed(p.Add(&p, smallOrderPoints()[r.IntN(8)]))
		case 4: // any bytes, half of which are a point
			expected := rBytes
			rBytes = randomEncoding(r)
			want[i] = sameButTorsion(rBytes, expected)
		case 2: // S or k beyond the order: S + order passes the equation and must be refused
			beyond := littleEndian(new(big.Int).Add(bigOrder, fromLittleEndian(s)))
			if r.IntN(2) == 0 {
				s = beyond
			} else {
				k = beyond
			}
			if r.IntN(4) == 0 {
				s = [32]byte(slices.Repeat([]byte{0xff}, 32))
			}
			want[i] = false
		}
		copy(signature[:], rBytes[:])
		copy(signature[32:], s[:])
		v.keys = append(v.keys, int32(key))
		v.signatures = append(v.signatures, signature)
		v.scalars = append(v.scalars, k)
	}
	ok := make([]bool, n)
	tables.VerifyVotes(ok, v.keys, v.signatures, v.scalars, NewScratch())
	for i := range ok {
		if ok[i] != want[i] {
			t.Fatalf("vote %d: key %x, signature %x, k %x: %v, want %v",
				i, keys[v.keys[i]], v.signatures[i], v.scalars[i], ok[i], want[i])
		}
	}
}

func fromLittleEndian(b [32]byte) *big.Int {
	slices.Reverse(b[:])
	return new(big.Int).SetBytes(b[:])
}

// otherEncoding is another encoding of the same point: y+p where that is below 2^255, or the other sign of x = 0.
func otherEncoding(b [32]byte) ([32]byte, bool) {
	sign := b[31] & 0x80
	b[31] &= 0x7f
	y := fromLittleEndian(b)
	if y.Cmp(big.NewInt(1)) == 0 || y.Cmp(new(big.Int).Sub(bigP, big.NewInt(1))) == 0 {
		b[31] |= sign ^ 0x80
		return b, true
	}
	if y.Cmp(big.NewInt(19)) >= 0 {
		return b, false
	}
	b = littleEndian(y.Add(y, bigP))
	b[31] |= sign
	return b, true
}

func TestNewTablesRefuses(t *testing.T) {
	bad := [32]byte{2} // no point has y = 2
	keys := append(testKeys(18), bad)
	if _, err := NewTables(keys, TableOptions{BaseWindow: 6, KeyWindow: 6}); !errors.Is(err, ErrKey) {
		t.Errorf("undecodable key: %v", err)
	}
	for _, o := range []TableOptions{{BaseWindow: 5}, {KeyWindow: 17}, {BaseWindow: -1}} {
		if _, err := NewTables(nil, o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
	if _, err := NewTables(make([][32]byte, MaxKeys+1), TableOptions{}); err == nil {
		t.Error("too many keys accepted")
	}
	empty := newTestTables(t, nil, 6, 6)
	empty.VerifyVotes(nil, nil, nil, nil, NewScratch())
	if empty.Len() != 0 || empty.Close() != nil || empty.Close() != nil {
		t.Error("empty tables")
	}
}

func TestVerifyVotesPanicsOnUnknownKey(t *testing.T) {
	tables := newTestTables(t, testKeys(2), 6, 6)
	for _, key := range []int32{-1, 2} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("key %d accepted", key)
				}
			}()
			tables.VerifyVotes(make([]bool, 1), []int32{key}, make([][64]byte, 1), make([][32]byte, 1), NewScratch())
		}()
	}
}

func TestVerifyVotesAllocatesNothing(t *testing.T) {
	tables := newTestTables(t, testKeys(20), 6, 6)
	v, s, ok := sharedVotes(), NewScratch(), make([]bool, 70)
	if n := testing.AllocsPerRun(10, func() {
		tables.VerifyVotes(ok, v.keys[:70], v.signatures[:70], v.scalars[:70], s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Kernel and twin plan the same steps for weird scalars in all windows.
func TestPlanDigitsVsTwin(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	for range rounds(laneOperations) {
		var scalars [Lanes][40]byte
		for l := range scalars {
			b := scalarOf(weirdScalar(r))
			copy(scalars[l][:], b[:])
			s.base[l] = r.Uint64() >> 16
		}
		w := newWindow(MinWindow + r.IntN(MaxWindow-MinWindow+1))
		first, flip := r.IntN(10), -uint64(r.IntN(2))
		var twin plan
		planDigitsGeneric(&twin, first, &scalars[0][0], 40, &s.base, &w, flip)
		s.plans[0] = plan{}
		planDigits(&s.plans[0], first, &scalars[0][0], 40, &s.base, &w, flip, s)
		for i := range s.plans[0].negative {
			s.plans[0].negative[i] &= 0xff // the kernel leaves the other bits open
		}
		if s.plans[0] != twin {
			t.Fatalf("scalars %x, window %d, from step %d, flip %x", scalars, w.bits, first, flip)
		}
	}
}
