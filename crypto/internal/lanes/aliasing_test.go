package lanes

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// aliased is a kernel as a function of memory: its output, and arguments of some sizes in bytes.
type aliased struct {
	name string
	out  int
	in   []int
	run  func(out unsafe.Pointer, in []unsafe.Pointer)
}

var aliasedKernels = []aliased{
	{"reduceHash8", 256, []int{512}, func(out unsafe.Pointer, in []unsafe.Pointer) {
		reduceHash8((*[Lanes][32]byte)(out), (*hashState)(in[0]))
	}},
	{"reduceWide8", 256, []int{512}, func(out unsafe.Pointer, in []unsafe.Pointer) {
		reduceWide8((*[Lanes][32]byte)(out), (*[Lanes][8]uint64)(in[0]))
	}},
	{"mulAdd8", 256, []int{256, 256, 32}, func(out unsafe.Pointer, in []unsafe.Pointer) {
		scalars := func(i int) *[Lanes][32]byte { return (*[Lanes][32]byte)(in[i]) }
		mulAdd8((*[Lanes][32]byte)(out), scalars(0), scalars(1), (*[32]byte)(in[2]))
	}},
	{"compress8", 512, []int{512, 1024}, func(out unsafe.Pointer, in []unsafe.Pointer) {
		*(*hashState)(out) = *(*hashState)(in[0])
		compress8((*hashState)(out), (*schedule)(in[1]), 0xb7)
	}},
	{"compress16", 1024, []int{1024, 2048}, func(out unsafe.Pointer, in []unsafe.Pointer) {
		*(*[2]hashState)(out) = *(*[2]hashState)(in[0])
		compress16((*[2]hashState)(out), (*[2]schedule)(in[1]), 0xb70f)
	}},
}

// TestKernelsAllowAliasing puts the output where each argument begins, and arguments of one size on the same memory. The
// oracle is the kernel with everything apart, which other tests compare with twins and math/big. The schedule of a hash is
// apart always: it is scratch memory.
func TestKernelsAllowAliasing(t *testing.T) {
	t.Run("chosen", testAliasing)
	withoutKernels(func() { t.Run("twins", testAliasing) })
}

func testAliasing(t *testing.T) {
	r := newRand(t)
	for _, k := range aliasedKernels {
		for range 50 {
			values := make([][]uint64, len(k.in))
			for i, size := range k.in {
				values[i] = make([]uint64, size/8)
				for j := range values[i] {
					values[i][j] = weirdWord(r)
				}
			}
			for i := range k.in {
				if k.in[i] > 512 {
					continue // a schedule
				}
				want := k.call(values, r, -1)
				if got := k.call(values, r, i); got != want {
					t.Fatalf("%s with the output on argument %d: got %x, want %x", k.name, i, got, want)
				}
			}
		}
	}
}

// call runs the kernel with copies of the values; the output lies on argument at, or apart for -1.
func (k *aliased) call(values [][]uint64, r *rand.Rand, at int) (out string) {
	in, copies := make([]unsafe.Pointer, len(values)), make([][]uint64, len(values))
	for i, v := range values {
		copies[i] = alignedWords(max(k.in[i], k.out) / 8)
		copy(copies[i], v)
		in[i] = unsafe.Pointer(unsafe.SliceData(copies[i]))
	}
	result := alignedWords(k.out / 8)
	if at >= 0 {
		result = copies[at][:k.out/8]
	}
	k.run(unsafe.Pointer(unsafe.SliceData(result)), in)
	return string(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(result))), k.out))
}

// alignedWords is memory on a boundary of 64 bytes.
func alignedWords(n int) []uint64 {
	words := make([]uint64, n+rowBytes/8)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(words)))
	return words[-at&(rowBytes-1)/8:][:n]
}

// TestResultsOverArguments: results may lie on the arguments that they are made of.
func TestResultsOverArguments(t *testing.T) {
	r := newRand(t)
	var s Scratch
	for n := range 40 {
		lengths := make([]int, n)
		for i := range lengths {
			lengths[i] = 32 + r.IntN(200)
		}
		b := newBatch(r, lengths...)
		want, nonces := make([][32]byte, n), make([][32]byte, n)
		prefix := [32]byte(randomBytes(r, 32))
		HashChallenges(want, b.r, b.a, b.messages, &s)
		HashNonces(nonces, &prefix, b.messages, &s)
		for name, place := range map[string][]*[32]byte{"R": b.r, "A": b.a} {
			dst := make([][32]byte, n)
			pieces := make([]*[32]byte, n)
			for i := range dst {
				dst[i] = *place[i]
				pieces[i] = &dst[i]
			}
			if name == "R" {
				HashChallenges(dst, pieces, b.a, b.messages, &s)
			} else {
				HashChallenges(dst, b.r, pieces, b.messages, &s)
			}
			for i := range dst {
				if dst[i] != want[i] {
					t.Fatalf("challenge %d of %d on %s: got %x, want %x", i, n, name, dst[i], want[i])
				}
			}
		}
		for i := range nonces { // the prefix of each is the same, so a result may lie on it for one message only
			dst := [][32]byte{prefix}
			HashNonces(dst, &dst[0], b.messages[i:i+1], &s)
			if dst[0] != nonces[i] {
				t.Fatalf("nonce %d of %d on its prefix: got %x, want %x", i, n, dst[0], nonces[i])
			}
		}
		wide, reduced := make([]Wide, n), make([][32]byte, n)
		for i := range wide {
			weird(wide[i][:], r)
		}
		ReduceWide(reduced, wide, &s)
		over := unsafe.Slice((*[32]byte)(unsafe.Pointer(unsafe.SliceData(wide))), n)
		ReduceWide(over, wide, &s)
		for i := range over {
			if over[i] != reduced[i] {
				t.Fatalf("reduced %d of %d on the numbers: got %x, want %x", i, n, over[i], reduced[i])
			}
		}
	}
}
