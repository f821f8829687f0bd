package lanes

import (
	"crypto/sha512"
	"math/big"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// wantHash is the oracle: the standard library and math/big.
func wantHash(pieces ...[]byte) [32]byte {
	h := sha512.New()
	for _, p := range pieces {
		h.Write(p)
	}
	return wantReduced(fromBytes(h.Sum(nil)))
}

func wantReduced(x *big.Int) (s [32]byte) {
	b := new(big.Int).Mod(x, bigOrder).FillBytes(make([]byte, 32))
	for i := range s {
		s[i] = b[31-i]
	}
	return s
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// batch is the input of HashChallenges.
type batch struct {
	r, a     []*[32]byte
	messages [][]byte
}

func newBatch(r *rand.Rand, lengths ...int) *batch {
	b := &batch{}
	for _, n := range lengths {
		b.r = append(b.r, (*[32]byte)(randomBytes(r, 32)))
		b.a = append(b.a, (*[32]byte)(randomBytes(r, 32)))
		b.messages = append(b.messages, randomBytes(r, n))
	}
	return b
}

func (b *batch) check(t *testing.T, s *Scratch) {
	t.Helper()
	got := make([][32]byte, len(b.r))
	HashChallenges(got, b.r, b.a, b.messages, s)
	for i := range got {
		if want := wantHash(b.r[i][:], b.a[i][:], b.messages[i]); got[i] != want {
			t.Fatalf("challenge %d of %d, message of %d bytes: got %x, want %x", i, len(got), len(b.messages[i]), got[i], want)
		}
	}
	for _, prefix := range b.r[:min(1, len(b.r))] {
		HashNonces(got, prefix, b.messages, s)
		for i := range got {
			if want := wantHash(prefix[:], b.messages[i]); got[i] != want {
				t.Fatalf("nonce %d of %d, message of %d bytes: got %x, want %x", i, len(got), len(b.messages[i]), got[i], want)
			}
		}
	}
}

func testHashes(t *testing.T) {
	r := newRand(t)
	var s Scratch
	repeat := func(n, count int) []int {
		lengths := make([]int, count)
		for i := range lengths {
			lengths[i] = n
		}
		return lengths
	}
	for n := 0; n <= 300; n++ { // every length, in both widths of the kernel
		newBatch(r, repeat(n, 16)...).check(t, &s)
		newBatch(r, repeat(n, 7)...).check(t, &s)
	}
	for count := 0; count <= 40; count++ { // every number of messages, lengths of the protocol and mixed ones
		newBatch(r, repeat(92, count)...).check(t, &s)
		mixed := make([]int, count)
		for i := range mixed {
			mixed[i] = r.IntN(400)
		}
		newBatch(r, mixed...).check(t, &s)
	}
	for d := -2; d <= 2; d++ { // around the limits of the kernel and of the short path
		for _, limit := range []int{longestLane, shortMessage - 64, shortMessage - 32, 3 * shortMessage} {
			newBatch(r, 92, limit+d, 0, 124, limit+d, 5, 300, 64, longestLane).check(t, &s)
			newBatch(r, limit+d).check(t, &s)
		}
	}
	newBatch(r, 5000, 92, 100_000).check(t, &s)
}

func TestHashesMatchStandardLibrary(t *testing.T) { testHashes(t) }

func TestHashAliasing(t *testing.T) {
	r := newRand(t)
	var s Scratch
	// One buffer holds everything, pieces overlap, and messages of different lanes are the same bytes.
	buffer := randomBytes(r, 400)
	b := &batch{}
	for i := range 33 {
		b.r = append(b.r, (*[32]byte)(buffer[i:]))
		b.a = append(b.a, (*[32]byte)(buffer[(i*7)%64:]))
		b.messages = append(b.messages, buffer[i%5:i%5+i*9])
	}
	b.check(t, &s)
	b.messages[3] = nil
	b.check(t, &s)
}

func TestLoadAndCompressMatchGeneric(t *testing.T) {
	if !Supported {
		t.Skip("no kernels in this build or on this processor")
	}
	r := newRand(t)
	w := new(Scratch).work()
	data := randomBytes(r, 4096)
	for range ops(laneOps) / group {
		var in inputs
		common := r.IntN(700)
		for l := range group {
			n := common
			if r.IntN(4) == 0 {
				n = r.IntN(700)
			}
			in.first[l] = (*[32]byte)(data[r.IntN(len(data)-32):])
			in.second[l] = (*[32]byte)(data[r.IntN(len(data)-32):])
			start := r.IntN(len(data) - n)
			in.message[l] = data[start : start+n]
		}
		block := uint64(r.IntN(7))
		var want [2]schedule
		var active uint16
		for t8 := range 2 {
			first, second, message := &in.first[8*t8], &in.second[8*t8], &in.message[8*t8]
			got := load8(&w.words[t8], first, second, message, block)
			if g := load8Generic(&want[t8], first, second, message, block); g != got {
				t.Fatalf("active lanes %08b, want %08b", got, g)
			}
			active |= uint16(got) << (8 * t8)
		}
		for t8 := range want {
			for j := range want[t8] {
				for l := range Lanes {
					if active>>(8*t8+l)&1 == 1 && want[t8][j][l] != w.words[t8][j][l] {
						t.Fatalf("block %d, lane %d, word %d: %x, want %x", block, l, j, w.words[t8][j][l], want[t8][j][l])
					}
				}
			}
		}
		compareCompress(t, w, r)
	}
}

// compareCompress runs both widths on what load8 left, with weird states and any mask.
func compareCompress(t *testing.T, w *work, r *rand.Rand) {
	t.Helper()
	for i := range w.state {
		for j := range w.state[i] {
			for l := range w.state[i][j] {
				w.state[i][j][l] = weirdWord(r)
			}
		}
	}
	if r.IntN(4) == 0 {
		for j := range w.words[0] {
			w.words[0][j][r.IntN(Lanes)] = weirdWord(r)
		}
	}
	active := uint16(r.Uint32())
	eight, sixteen := w.state[0], w.state
	compress8(&eight, &w.words[0], uint8(active))
	words := w.words
	compress16(&sixteen, &w.words, active)
	compress16Generic(&w.state, &words, active)
	if eight != w.state[0] {
		t.Fatal("compress8 and its twin disagree")
	}
	if sixteen != w.state {
		t.Fatal("compress16 and its twin disagree")
	}
}

func FuzzHashMatchesStandardLibrary(f *testing.F) {
	f.Add([]byte("a message of ninety-two bytes"), uint8(3), uint16(92))
	f.Add(make([]byte, 400), uint8(17), uint16(300))
	var s Scratch
	f.Fuzz(func(t *testing.T, data []byte, count uint8, step uint16) {
		if len(data) < 64 {
			data = append(data, make([]byte, 64)...)
		}
		b := &batch{}
		for i := range int(count) % 40 {
			b.r = append(b.r, (*[32]byte)(data[i%(len(data)-31):]))
			b.a = append(b.a, (*[32]byte)(data[(3*i)%(len(data)-31):]))
			b.messages = append(b.messages, data[:(i*int(step))%(len(data)+1)])
		}
		b.check(t, &s)
	})
}

func TestScratchIsAligned(t *testing.T) {
	for range 10 {
		s := new(Scratch)
		p := uintptr(unsafe.Pointer(s.work()))
		end := uintptr(unsafe.Pointer(&s.space)) + unsafe.Sizeof(s.space)
		if p%rowBytes != 0 || p+unsafe.Sizeof(work{}) > end {
			t.Fatalf("work at %#x, size %d, end of the space at %#x", p, unsafe.Sizeof(work{}), end)
		}
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	b := newBatch(newRand(t), 92, 92, 124, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 92, 300, 2000)
	dst := make([][32]byte, len(b.r))
	s := new(Scratch)
	run := func() {
		HashChallenges(dst, b.r, b.a, b.messages, s)
		HashChallenges(dst[:1], b.r[:1], b.a[:1], b.messages[:1], s)
		HashNonces(dst, b.r[0], b.messages, s)
	}
	run() // the first long message makes its hash
	if n := testing.AllocsPerRun(20, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
