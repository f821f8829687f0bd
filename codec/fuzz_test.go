package codec

import (
	"bytes"
	"encoding/binary"
	"runtime/metrics"
	"testing"
)

// Each fuzz target decodes a message of one kind; the input is what follows the tag. Run one with
//
//	go test ./codec -run '^$' -fuzz '^FuzzDecodeOrder$' -fuzztime 10s

func FuzzDecodeOrder(f *testing.F)        { fuzzDecode(f, KindOrder) }
func FuzzDecodeVote(f *testing.F)         { fuzzDecode(f, KindVote) }
func FuzzDecodeCertificate(f *testing.F)  { fuzzDecode(f, KindCertificate) }
func FuzzDecodeCrossShard(f *testing.F)   { fuzzDecode(f, KindCrossShard) }
func FuzzDecodeError(f *testing.F)        { fuzzDecode(f, KindError) }
func FuzzDecodeInfoRequest(f *testing.F)  { fuzzDecode(f, KindInfoRequest) }
func FuzzDecodeInfoResponse(f *testing.F) { fuzzDecode(f, KindInfoResponse) }

// seedsPerTarget keeps the start of a short run short.
const seedsPerTarget = 16

func fuzzDecode(f *testing.F, kind Kind) {
	v, n := loadVectors(f), 0
	for _, m := range v.Messages {
		if m.Variant == kind.String() && n < seedsPerTarget {
			f.Add([]byte(m.Bincode[kindSize:]))
			n++
		}
	}
	for _, d := range v.Decoding {
		if len(d.Hex) >= kindSize && Kind(binary.LittleEndian.Uint32(d.Hex)) == kind {
			f.Add([]byte(d.Hex[kindSize:]))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := append(appendKind(nil, kind), body...)
		before := bytes.Clone(b)
		var m Message
		allocated := heapBytes()
		ok := m.Decode(b)
		allocated = heapBytes() - allocated
		if !bytes.Equal(b, before) {
			t.Fatal("decoding changed its input")
		}
		// Decoding allocates nothing; what the fuzzing engine allocates meanwhile must not fail the test.
		if allocated > 1<<20 {
			t.Fatalf("%d bytes allocated for an input of %d", allocated, len(b))
		}
		if !ok {
			return
		}
		if m.Kind != kind {
			t.Fatalf("kind %v", m.Kind)
		}
		if again := reencode(nil, &m); !bytes.Equal(again, b) {
			t.Fatalf("encoded again\n got %x\nwant %x", again, b)
		}
	})
}

// heapBytes is the number of bytes that were ever allocated.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// FuzzFrames feeds a stream in pieces, as a connection does, and in one, and compares the frames and how the stream ends.
// The lengths of the pieces are the bytes of cuts, in turn.
func FuzzFrames(f *testing.F) {
	const limit = 600
	var stream []byte
	for _, s := range sample() {
		start := len(stream)
		stream = append(BeginFrame(stream), s.b...)
		EndFrame(stream, start)
	}
	for _, cuts := range [][]byte{{1}, {3, 0, 200}, {4}, {255}, {153}} {
		f.Add(stream, cuts)
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255}, []byte{2})
	f.Add([]byte{1, 0, 0, 0, 7, 1, 0}, []byte{5})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		want, wantLeft, wantErr := readFrames([][]byte{stream}, limit)
		got, gotLeft, gotErr := readFrames(pieces(stream, cuts), limit)
		if len(got) != len(want) || gotErr != wantErr || wantErr == nil && !bytes.Equal(gotLeft, wantLeft) {
			t.Fatalf("%d frames, %d bytes left, %v; in one piece %d, %d, %v",
				len(got), len(gotLeft), gotErr, len(want), len(wantLeft), wantErr)
		}
		var again []byte
		for i, message := range want {
			if !bytes.Equal(got[i], message) {
				t.Fatalf("frame %d is %x, in one piece %x", i, got[i], message)
			}
			if len(message) > limit {
				t.Fatalf("frame %d has %d bytes", i, len(message))
			}
			start := len(again)
			again = append(BeginFrame(again), message...)
			EndFrame(again, start)
		}
		if again = append(again, wantLeft...); !bytes.Equal(again, stream) {
			t.Fatalf("framed again\n got %x\nwant %x", again, stream)
		}
	})
}

// pieces cuts b. A length of 0 is an empty piece, which a reader must bear, too.
func pieces(b, lengths []byte) [][]byte {
	var out [][]byte
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(lengths) > 0 && i < 4*len(b) { // zeros alone must not go on for ever
			n = min(n, int(lengths[i%len(lengths)]))
		}
		out, b = append(out, b[:n]), b[n:]
	}
	return out
}

// readFrames is a connection's reader: it keeps the tail that is no whole frame yet, until the stream ends or fails.
func readFrames(pieces [][]byte, limit int) (messages [][]byte, left []byte, err error) {
	for _, piece := range pieces {
		left = append(left, piece...)
		for {
			var message []byte
			var ok bool
			if message, left, ok, err = TakeFrame(left, limit); !ok {
				break
			}
			messages = append(messages, bytes.Clone(message))
		}
		if err != nil {
			break
		}
	}
	return messages, left, err
}
