package codec

import (
	"bytes"
	"encoding/binary"
	"flag"
	"runtime"
	"testing"

	"fastpay/codec/mangle"
)

// Long runs have millions of them:
//
//	go test ./codec -run Mangled -mangled 100000000 -mangled-seed 7 -timeout 0 -v
var (
	mangledCount = flag.Int("mangled", 100_000, "mangled messages that each decoder gets")
	mangledSeed  = flag.Uint64("mangled-seed", 1, "of them")
)

// Between two looks at what was allocated at most mangledBlock messages are decoded, and mangledBytes of them kept.
const (
	mangledBlock = 4096
	mangledBytes = 4 << 20
)

// TestDecodeMangled gives decoders messages of each kind that were damaged: what is accepted is exactly what encodes to
// the same bytes, no input is changed, nothing is allocated, and nothing panics.
func TestDecodeMangled(t *testing.T) {
	corpora := make([][][]byte, numKinds)
	add := func(b []byte) {
		if len(b) >= kindSize && Kind(binary.LittleEndian.Uint32(b)) < numKinds {
			kind := binary.LittleEndian.Uint32(b)
			corpora[kind] = append(corpora[kind], b)
		}
	}
	v := loadVectors(t)
	for _, m := range v.Messages {
		add(m.Bincode)
	}
	for _, d := range v.Decoding {
		add(d.Hex)
	}
	for _, s := range sample() {
		add(s.b)
	}
	for kind, corpus := range corpora {
		t.Run(Kind(kind).String(), func(t *testing.T) { decodeMangled(t, mangle.New(*mangledSeed+uint64(kind)<<56, corpus)) })
	}
}

func decodeMangled(t *testing.T, m *mangle.Mangler) {
	accepted := 0
	before := make([]byte, 0, mangledBytes/16)
	kept := make([]byte, 0, mangledBytes) // accepted messages of a block, each after its length
	var message Message
	for done := 0; done < *mangledCount; {
		kept = kept[:0]
		allocated := exactHeapBytes()
		for end := done + mangledBlock; done < end && len(kept) < mangledBytes*3/4; done++ {
			b := m.Next()
			before = append(before[:0], b...)
			ok := message.Decode(b)
			if !bytes.Equal(b, before) {
				t.Fatalf("decoding changed its input %x", before)
			}
			if ok {
				accepted++
				kept = append(binary.LittleEndian.AppendUint32(kept, uint32(len(b))), b...)
			}
		}
		if allocated = exactHeapBytes() - allocated; allocated > 64<<10 {
			t.Fatalf("%d bytes allocated by decoding at most %d messages", allocated, mangledBlock)
		}
		for rest := kept; len(rest) > 0; {
			n := binary.LittleEndian.Uint32(rest)
			b := rest[4 : 4+n]
			rest = rest[4+n:]
			if !message.Decode(b) {
				t.Fatalf("%x decodes once, and not again", b)
			}
			if before = reencode(before[:0], &message); !bytes.Equal(before, b) {
				t.Fatalf("encoded again\n got %x\nwant %x", before, b)
			}
		}
	}
	t.Logf("%d mangled messages, %d accepted", *mangledCount, accepted)
	if accepted < *mangledCount/50 || accepted > *mangledCount*4/5 {
		t.Errorf("%d of %d accepted: nearly all or nearly none", accepted, *mangledCount)
	}
}

// exactHeapBytes is heapBytes with what other allocations have not yet reported, which stops the world.
func exactHeapBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
