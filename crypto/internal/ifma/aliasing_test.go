package ifma

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// aliased is a kernel as a function of memory. Arguments are on cache lines of their own, or some of them on the same.
type aliased struct {
	name string
	out  argument
	in   []argument
	run  func(out unsafe.Pointer, in []unsafe.Pointer) (result uint64)
}

// argument is an argument of a kernel: its size in bytes, and the limit of its words; 0 is none.
type argument struct {
	size  int
	limit uint64
}

var (
	looseElement   = argument{int(unsafe.Sizeof(Element{})), looseLimit}
	reducedElement = argument{int(unsafe.Sizeof(Element{})), reducedLimit}
	pairArgument   = argument{2 * int(unsafe.Sizeof(Element{})), looseLimit}
	loosePoint     = argument{int(unsafe.Sizeof(Point{})), looseLimit}
	reducedPoint   = argument{int(unsafe.Sizeof(Point{})), reducedLimit}
	affineArgument = argument{int(unsafe.Sizeof(Affine{})), reducedLimit}
	cachedArgument = argument{Lanes * int(unsafe.Sizeof(CachedPoint{})), reducedLimit}
	entryArgument  = argument{int(unsafe.Sizeof(quadEntry{})), looseLimit}
	wordsArgument  = argument{int(unsafe.Sizeof(Words{})), 0}
	rowsArgument   = argument{Lanes * 32, 0}
	entryRows      = argument{Lanes * entryBytes, 0}
	bucketArgument = argument{Lanes * bucketBytes, reducedLimit}
)

// aliasedKernels is every kernel with an output that is not always scratch memory. The others (walk, planDigits,
// fetchFirst) read a plan and write a point or a plan, which no caller could lay over one another.
func aliasedKernels(s *Scratch) []aliased {
	element := func(p unsafe.Pointer) *Element { return (*Element)(p) }
	point := func(p unsafe.Pointer) *Point { return (*Point)(p) }
	row := func(p unsafe.Pointer) *byte { return (*byte)(p) }
	var room combRoom
	var bucketRoom sumRoom
	type pointers = []unsafe.Pointer
	return []aliased{
		{"mul", reducedElement, []argument{looseElement, looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			mul(element(out), element(in[0]), element(in[1]))
			return 0
		}},
		{"square", reducedElement, []argument{looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			square(element(out), element(in[0]))
			return 0
		}},
		{"add", reducedElement, []argument{looseElement, looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			add(element(out), element(in[0]), element(in[1]))
			return 0
		}},
		{"sub", reducedElement, []argument{reducedElement, reducedElement}, func(out unsafe.Pointer, in pointers) uint64 {
			sub(element(out), element(in[0]), element(in[1]))
			return 0
		}},
		{"squareTimes", pairArgument, []argument{pairArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			squareTimes((*[2]Element)(out), (*[2]Element)(in[0]), 3)
			return 0
		}},
		{"squareTimesOne", looseElement, []argument{looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			squareTimesOne(element(out), element(in[0]), 3)
			return 0
		}},
		{"raise", pairArgument, []argument{pairArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			s.power.raise((*[2]Element)(out), (*[2]Element)(in[0]))
			return 0
		}},
		{"raiseOne", looseElement, []argument{looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			s.power.raiseOne(element(out), element(in[0]))
			return 0
		}},
		{"addPoints", loosePoint, []argument{loosePoint, loosePoint, looseElement},
			func(out unsafe.Pointer, in pointers) uint64 {
				addPoints(point(out), point(in[0]), point(in[1]), element(in[2]), &s.room)
				return 0
			}},
		{"addMixed", loosePoint, []argument{loosePoint, affineArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			addMixed(point(out), point(in[0]), (*Affine)(in[1]), &s.room)
			return 0
		}},
		{"doublePoint", loosePoint, []argument{loosePoint}, func(out unsafe.Pointer, in pointers) uint64 {
			doublePoint(point(out), point(in[0]), &s.room)
			return 0
		}},
		{"encode", wordsArgument, []argument{reducedPoint, reducedElement}, func(out unsafe.Pointer, in pointers) uint64 {
			encode((*Words)(out), point(in[0]), element(in[1]))
			return 0
		}},
		{"storeRows", rowsArgument, []argument{wordsArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			storeRows((*Words)(in[0]), row(out), 32)
			return 0
		}},
		{"matchRows", rowsArgument, []argument{wordsArgument, rowsArgument}, func(_ unsafe.Pointer, in pointers) uint64 {
			return matchRows((*Words)(in[0]), row(in[1]), 32)
		}},
		{"unpackRows", reducedElement, []argument{rowsArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			return unpackRows(element(out), row(in[0]), 32)
		}},
		{"entries", entryRows, []argument{reducedPoint, reducedElement, reducedElement},
			func(out unsafe.Pointer, in pointers) uint64 {
				entries(row(out), point(in[0]), element(in[1]), element(in[2]), &s.room)
				return 0
			}},
		{"zeros", reducedElement, []argument{reducedElement}, func(_ unsafe.Pointer, in pointers) uint64 {
			return zeros(element(in[0]))
		}},
		{"root", reducedElement, []argument{reducedElement, reducedElement, reducedElement, reducedElement},
			func(out unsafe.Pointer, in pointers) uint64 {
				return root(element(out), element(in[0]), element(in[1]), element(in[2]), element(in[3]), 0x5a, &s.room)
			}},
		{"storeCached", cachedArgument, []argument{affineArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			storeCached((*CachedPoint)(out), (*Affine)(in[0]))
			return 0
		}},
		{"loadCached", affineArgument, []argument{cachedArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			loadCached((*Affine)(out), (*CachedPoint)(in[0]))
			return 0
		}},
		{"storePoints", bucketArgument, []argument{reducedPoint}, func(out unsafe.Pointer, in pointers) uint64 {
			storePoints(row(out), bucketBytes, point(in[0]))
			return 0
		}},
		// What follows works in place on its first argument.
		{"doubleTimes", loosePoint, []argument{loosePoint}, func(out unsafe.Pointer, in pointers) uint64 {
			*point(out) = *point(in[0])
			doubleTimes(point(out), 3, &s.room)
			return 0
		}},
		{"quadDouble", looseElement, []argument{looseElement}, func(out unsafe.Pointer, in pointers) uint64 {
			*element(out) = *element(in[0])
			quadDouble((*quad)(out), 3)
			return 0
		}},
		{"quadAdd", looseElement, []argument{looseElement, entryArgument, entryArgument},
			func(out unsafe.Pointer, in pointers) uint64 {
				*element(out) = *element(in[0])
				quadAdd((*quad)(out), (*quadEntry)(in[1]), (*quadEntry)(in[2]))
				return 0
			}},
		{"comb", loosePoint, []argument{loosePoint, wordsArgument, {int(unsafe.Sizeof(combTable{})), reducedLimit}},
			func(out unsafe.Pointer, in pointers) uint64 {
				*point(out) = *point(in[0])
				comb(point(out), row(in[2]), (*Words)(in[1]), &room)
				return 0
			}},
		{"bucketsTake", loosePoint, []argument{bucketArgument}, func(out unsafe.Pointer, in pointers) uint64 {
			bucketsTake(point(out), row(in[0]), bucketBytes)
			return 0
		}},
		{"bucketsAdd", bucketArgument, []argument{bucketArgument, cachedArgument},
			func(out unsafe.Pointer, in pointers) uint64 {
				copy(unsafe.Slice(row(out), bucketArgument.size), unsafe.Slice(row(in[0]), bucketArgument.size))
				digits := [Lanes + 1]uint64{}
				bucketsAdd(row(out), bucketBytes, (*CachedPoint)(in[1]), &digits[0], Lanes, &bucketRoom)
				return 0
			}},
	}
}

// disjoint are the arguments that the output must not lie on: where one of both is a table, buckets, or points one behind
// the other, which are memory of their own.
var disjoint = map[string]bool{
	"comb 1": true, "comb 2": true, "bucketsAdd 1": true, "bucketsTake 0": true, "quadAdd 1": true, "quadAdd 2": true,
	"entries 0": true, "entries 1": true, "entries 2": true, "storeCached 0": true, "loadCached 0": true,
	"storePoints 0": true,
}

// TestKernelsAllowAliasing puts the output where each argument begins, and arguments of one type on the same memory. The
// oracle is the kernel with everything apart, which other tests compare with twins, math/big and voi.
func TestKernelsAllowAliasing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		for _, k := range aliasedKernels(s) {
			rounds := 200
			if testing.Short() || !useKernels {
				rounds = 10
			}
			for range rounds {
				values := k.values(r)
				want := k.call(values, apart(len(values)), -1)
				for i := range k.in {
					if name := fmt.Sprintf("%s %d", k.name, i); !disjoint[name] {
						if got := k.call(values, apart(len(values)), i); got != want {
							t.Fatalf("%s: output on argument %d: got %x, want %x", k.name, i, got, want)
						}
					}
					k.checkEqual(t, values, i)
				}
			}
		}
	})
}

// checkEqual lays argument i on each earlier one of its kind, and the output on both.
func (k *aliased) checkEqual(t *testing.T, values [][]uint64, i int) {
	for j := range i {
		if k.in[i] != k.in[j] {
			continue
		}
		equal := append([][]uint64{}, values...)
		equal[i] = values[j]
		want := k.call(equal, apart(len(values)), -1)
		places := apart(len(values))
		places[i] = j
		if got := k.call(equal, places, -1); got != want {
			t.Fatalf("%s: argument %d on %d: got %x, want %x", k.name, i, j, got, want)
		}
		if disjoint[fmt.Sprintf("%s %d", k.name, j)] {
			continue
		}
		if got := k.call(equal, places, j); got != want {
			t.Fatalf("%s: output on arguments %d and %d: got %x, want %x", k.name, i, j, got, want)
		}
	}
}

// apart is the places of n arguments that do not overlap.
func apart(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// values are arguments at the limits of their classes.
func (k *aliased) values(r *rand.Rand) [][]uint64 {
	values := make([][]uint64, len(k.in))
	for i, a := range k.in {
		values[i] = make([]uint64, a.size/8)
		for j := 0; j < len(values[i]); j += numLimbs {
			limit := a.limit
			if limit == 0 {
				limit = 1 << 63
			}
			v := weirdLane(r, limit)
			copy(values[i][j:], v[:])
		}
	}
	return values
}

// call runs the kernel with copies of the values. Argument i lies on argument places[i], and the output on argument out,
// or apart for -1. The result is that of the kernel and what it wrote.
func (k *aliased) call(values [][]uint64, places []int, out int) string {
	in := make([]unsafe.Pointer, len(values))
	for i, v := range values {
		in[i] = in[places[i]]
		if places[i] == i {
			memory := alignedWords(max(k.in[i].size, k.out.size) / 8)
			copy(memory, v)
			in[i] = unsafe.Pointer(unsafe.SliceData(memory))
		}
	}
	result := unsafe.Pointer(unsafe.SliceData(alignedWords(k.out.size / 8)))
	if out >= 0 {
		result = in[out]
	}
	returned := k.run(result, in)
	written := string(unsafe.Slice((*byte)(result), k.out.size))
	if k.name == "matchRows" || k.name == "zeros" {
		written = "" // they write nothing
	}
	return fmt.Sprintf("%x %s", returned, written)
}

// alignedWords is memory on a cache line.
func alignedWords(n int) []uint64 {
	memory := aligned(make([]byte, 8*n+cacheLineBytes), cacheLineBytes)
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}
