package authority

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"testing"
	"unsafe"

	"fastpay/codec"
)

// address is the n-th of an endless row; only its first bytes differ, as an attacker would choose them.
func address(n uint64) (a codec.Address) {
	binary.LittleEndian.PutUint64(a[:], n)
	return a
}

func TestAccountTableMatchesMap(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	table := accountTable{key: hashKey{3, 4}}
	table.index.reserve(0)
	numbers := make(map[codec.Address]*account)
	for range 200_000 {
		a := address(r.Uint64N(60_000))
		if r.IntN(3) > 0 {
			got := table.open(&a)
			if want := numbers[a]; want != nil && got != want || got.address != a {
				t.Fatalf("%x moved or is another's", a[:8])
			}
			numbers[a] = got
		} else if got := table.find(&a); got != numbers[a] {
			t.Fatalf("%x: found %v, expected %v", a[:8], got, numbers[a])
		}
	}
	if int(table.accounts.n) != len(numbers) {
		t.Errorf("%d accounts, expected %d", table.accounts.n, len(numbers))
	}
	for i, g := range table.index.segments {
		used := 0
		for _, v := range g.slots {
			if v != 0 {
				used++
			}
		}
		if used != g.used || used > maxLoad(len(g.slots)) {
			t.Errorf("segment %d: %d of %d slots used, counted %d", i, used, len(g.slots), g.used)
		}
	}
}

// A hash never decides: an element that is found under the hash of another key is not it.
func TestTablesCompareWholeKeys(t *testing.T) {
	a, b := address(1), address(2)
	table := accountTable{key: hashKey{1, 2}}
	table.index.reserve(0)
	mine := table.open(&a)
	table.index.insert(table.key.of(&b), 0)
	if table.find(&b) != nil || table.find(&a) != mine {
		t.Error("an account is found under another's hash")
	}
	if table.open(&b) == mine || table.accounts.n != 2 {
		t.Error("an account is opened for another")
	}
}

// Elements whose tags are all alike are told apart by their keys, and segments wrap around.
func TestIndexSurvivesCollisions(t *testing.T) {
	var x index
	x.reserve(0)
	for _, hash := range []uint64{0, ^uint64(0)} {
		for n := range uint32(1000) {
			x.insert(hash, n)
		}
		p, found := x.probe(hash), make(map[uint32]bool)
		for {
			n, ok := p.next()
			if !ok {
				break
			}
			found[n] = true
		}
		if len(found) != 1000 {
			t.Errorf("%d of 1000 found", len(found))
		}
	}
}

func TestIndexReserveNeedsNoGrowth(t *testing.T) {
	const accounts = 100_000
	table := accountTable{key: hashKey{5, 6}}
	table.index.reserve(accounts)
	before := len(table.index.segments[0].slots)
	for n := range uint64(accounts) {
		a := address(n)
		table.open(&a)
	}
	for i := range table.index.segments {
		if got := len(table.index.segments[i].slots); got != before {
			t.Errorf("segment %d grew from %d to %d slots", i, before, got)
		}
	}
}

// SipHash as its authors describe it, with any numbers of rounds.
func sipHash(compress, finish int, k0, k1 uint64, message []byte) uint64 {
	v := [4]uint64{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	round := func() {
		v[0] += v[1]
		v[2] += v[3]
		v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
		v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
		v[0] = bits.RotateLeft64(v[0], 32)
		v[2] += v[1]
		v[0] += v[3]
		v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
		v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
		v[2] = bits.RotateLeft64(v[2], 32)
	}
	padded := append([]byte(nil), message...)
	for len(padded)%8 != 7 {
		padded = append(padded, 0)
	}
	padded = append(padded, byte(len(message)))
	for ; len(padded) > 0; padded = padded[8:] {
		m := binary.LittleEndian.Uint64(padded)
		v[3] ^= m
		for range compress {
			round()
		}
		v[0] ^= m
	}
	v[2] ^= 0xff
	for range finish {
		round()
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

func TestHashMatchesSipHash(t *testing.T) {
	var key, message []byte
	for i := range byte(16) {
		key, message = append(key, i), append(message, i)
	}
	k := hashKey{binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:])}
	// The example of the paper, appendix A, shows that the twin is right.
	if got := sipHash(2, 4, k.k0, k.k1, message[:15]); got != 0xa129ca6149be45e5 {
		t.Fatalf("the twin gives %x", got)
	}
	r := rand.New(rand.NewPCG(10, 11))
	for range 1000 {
		var a codec.Address
		for i := range a {
			a[i] = byte(r.Uint32())
		}
		if got, want := k.of(&a), sipHash(1, 3, k.k0, k.k1, a[:]); got != want {
			t.Fatalf("%x, expected %x", got, want)
		}
		k = hashKey{r.Uint64(), r.Uint64()}
	}
}

// The garbage collector must not have to look into tables, and their sizes are promised.
func TestEntriesHoldNoPointersAndAreSmall(t *testing.T) {
	if got := unsafe.Sizeof(account{}); got != 128 {
		t.Errorf("an account has %d bytes", got)
	}
	if got := unsafe.Sizeof(slot{}); got != 256 {
		t.Errorf("a slot has %d bytes", got)
	}
	for _, v := range []any{account{}, slot{}} {
		if hasPointers(reflect.TypeOf(v)) {
			t.Errorf("%T holds pointers", v)
		}
	}
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for f := range t.Fields() {
			if hasPointers(f.Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return hasPointers(t.Elem())
	}
	return t.Kind() < reflect.Bool || t.Kind() > reflect.Complex128
}
