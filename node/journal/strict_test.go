package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

// An identity that is cut anywhere, longer than its length says, or longer than there is room for, is none.
func TestIdentityIsStrict(t *testing.T) {
	want := Identity{{"authority", "a"}, {"", ""}, {"shards", "0-3 of 4"}}
	b := make([]byte, BlockSize)
	putIdentity(b, want)
	if got, ok := takeIdentity(b); !ok || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v, %v", got, ok)
	}
	size := binary.LittleEndian.Uint32(b)
	ends := map[uint32]bool{0: true, 14: true, 18: true, size: true} // of fields
	for n := range size + 20 {
		binary.LittleEndian.PutUint32(b, n)
		got, ok := takeIdentity(b)
		if n > size {
			continue // zeros: fields without name or value, of which there may be one
		}
		if ok != ends[n] || ok && got.encodedSize() != int(n) {
			t.Errorf("%d of %d bytes: %v, %v", n, size, got, ok)
		}
	}
	for _, n := range []uint32{maxIdentityBytes + 1, 1 << 31, 1<<32 - 1} {
		binary.LittleEndian.PutUint32(b, n)
		if _, ok := takeIdentity(b); ok {
			t.Errorf("%d bytes are taken", n)
		}
	}
	if _, ok := parseIdentity(Identity{{"a", "1"}, {"b", "2"}, {"a", "3"}}.append(nil)); ok {
		t.Error("a name twice")
	}
}

// A record that is cut in its header or its data is none.
func TestRecordIsStrict(t *testing.T) {
	var b Batch
	b.Add(7, []byte("data"))
	for n := range len(b.buf) {
		if _, _, _, ok := takeRecord(b.buf[:n]); ok {
			t.Errorf("%d of %d bytes are taken", n, len(b.buf))
		}
	}
	shard, data, rest, ok := takeRecord(append(bytes.Clone(b.buf), "rest"...))
	if !ok || shard != 7 || string(data) != "data" || string(rest) != "rest" {
		t.Errorf("%d, %q, %q, %v", shard, data, rest, ok)
	}
}

// Whose journal it is can't be said of one that another version wrote.
func TestIdentityOfAnotherVersion(t *testing.T) {
	d := build(t, 1, true)
	newer := fsOf(t, with(d.all, segmentName(1), func(b []byte) []byte {
		b[len(segmentMagic)-1]++
		binary.LittleEndian.PutUint32(b[segOffCRC:], headerCRC(b))
		return b
	}))
	if _, begun, err := ReadIdentity(newer); !begun || !errors.Is(err, ErrVersion) {
		t.Errorf("%v, %v", begun, err)
	}
}
