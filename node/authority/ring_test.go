package authority

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"fastpay/codec"
)

// settlementOf is a record of a settlement with the given number of votes, in place of one that a shard wrote.
func settlementOf(t testing.TB, c codec.Certificate, log Log, confirmed, received *chain) Position {
	w := writer{log: log, members: testCommittee(t, testMembers...)}
	return w.settlement(c, confirmed, received, -1, 0)
}

// Everything that was ever written, beside the ring: it gives back what it has not forgotten, and forgets the oldest.
func TestRingMatchesModel(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 7))
		const size = 40_000
		ring := newTestRing(t, size)
		model := make(map[Position][]byte)
		last := Position(0)
		for i := range 1500 {
			o := signOrder(byte(10+r.IntN(4)), codec.Transfer{
				Recipient: toPrimary(11), Amount: r.Uint64(), SequenceNumber: uint64(i), UserData: codec.UserData{Present: r.IntN(2) == 0},
			})
			next := ring.Next()
			at := settlementOf(t, certify(o, []byte{0, 1, 2, 3}[:1+r.IntN(4)]...), ring, &chain{tail: last}, nil)
			if at != next || at <= last || model[at] != nil {
				t.Fatalf("record %d is at %v, Next was %v, the last one at %v", i, at, next, last)
			}
			b, err := ring.Read(at)
			if err != nil {
				t.Fatal(err)
			}
			model[at], last = bytes.Clone(b), at
			if ring.Append(0, []byte{byte(RecordOrder)}) != 0 || ring.Append(0, []byte{byte(RecordPrimary)}) != 0 {
				t.Fatal("a record that nobody reads back is kept")
			}
		}
		kept, forgotten := 0, 0
		oldest := last
		for at, want := range model {
			got, err := ring.Read(at)
			if errors.Is(err, ErrGone) {
				forgotten++
				continue
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v: %v, or another record", at, err)
			}
			kept++
			oldest = min(oldest, at)
		}
		for at := range model {
			if _, err := ring.Read(at); (err == nil) != (at >= oldest) {
				t.Fatalf("%v: %v, the oldest that is kept is at %v", at, err, oldest)
			}
		}
		if span := uint64(ring.Next() - oldest); kept == 0 || forgotten == 0 || span > size || span < size/2-2*uint64(ring.largest) {
			t.Errorf("seed %d: %d kept, %d forgotten, over %d bytes", seed, kept, forgotten, span)
		}
	}
}

// Records of all sizes end anywhere in a segment, also at its very end, and never beyond.
func TestRingRecordsStayInTheirSegment(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 13))
	ring := &Ring{segments: make([][]byte, 3), shift: 10, largest: 304, end: 8, oldest: 8}
	full := 0
	for i := range 5000 {
		record := bytes.Repeat([]byte{byte(RecordCredit)}, 1+r.IntN(300))
		at := uint64(ring.Append(0, record))
		end := at + ringSize(len(record))
		if at>>10 != (end-1)>>10 || at%ringAlign != 0 {
			t.Fatalf("record %d from %d to %d", i, at, end)
		}
		if end&1023 == 0 {
			full++
		}
		if got, err := ring.Read(Position(at)); err != nil || !bytes.Equal(got, record) {
			t.Fatalf("record %d at %d is another one: %v", i, at, err)
		}
	}
	if full == 0 {
		t.Error("no segment was filled exactly")
	}
}

func TestRingSizes(t *testing.T) {
	c := testCommittee(t, testMembers...)
	if _, err := NewRing(2000, c); !errors.Is(err, ErrOptions) {
		t.Errorf("a ring that can't hold its records: %v", err)
	}
	if _, err := NewRing(-1, c); !errors.Is(err, ErrOptions) {
		t.Errorf("a ring of -1 bytes: %v", err)
	}
	ring, err := NewRing(DefaultRingBytes, c)
	if err != nil || len(ring.segments)<<ring.shift != DefaultRingBytes || len(ring.segments) < 64 {
		t.Fatalf("%v: %d segments of %d", err, len(ring.segments), 1<<ring.shift)
	}
	for _, s := range ring.segments {
		if s != nil {
			t.Error("memory is taken before it is needed")
		}
	}
}

// A segment is the smallest power of two in which two of the largest records fit, or a larger one of which there are still
// 128, and at most 1 MiB.
func TestRingSegments(t *testing.T) {
	for _, largest := range []uint64{304, 504, 512, 520, 680, 688, 1024, 5000} {
		least := uint(0)
		for 1<<least < 2*largest {
			least++
		}
		if _, err := newRing(minSegments<<least-1, largest); !errors.Is(err, ErrOptions) {
			t.Errorf("%d bytes for records of %d: %v", minSegments<<least-1, largest, err)
		}
		for shift := least + 1; shift < 31; shift++ {
			for _, size := range []int{1<<shift - 1, 1 << shift, 1<<shift + 1, 3 << (shift - 1)} {
				r, err := newRing(size, largest)
				if err != nil {
					if size>>least >= minSegments {
						t.Errorf("%d bytes for records of %d: %v", size, largest, err)
					}
					continue
				}
				want := least
				for want < 20 && size>>(want+1) >= 128 {
					want++
				}
				if r.shift != want || len(r.segments) != size>>want {
					t.Errorf("%d bytes for records of %d: %d segments of 2^%d bytes, expected 2^%d", size, largest, len(r.segments),
						r.shift, want)
				}
			}
		}
	}
}

// A record takes its bytes and its length, up to the next multiple of 8.
func TestRingSizeOfARecord(t *testing.T) {
	for n := range 2000 {
		if got := ringSize(n); got%8 != 0 || got < uint64(n)+4 || got >= uint64(n)+12 {
			t.Errorf("%d bytes take %d", n, got)
		}
	}
}

// After each record, everything is there that a ring keeps by its promise, nothing comes back changed, room is left out only
// where the largest record has none, and what was kept and forgotten is told.
func TestRingAfterEachRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 17))
	const shift, segments, largest = 10, 3, 304
	ring := &Ring{segments: make([][]byte, segments), shift: shift, largest: largest, end: ringAlign, oldest: ringAlign}
	type kept struct {
		at     Position
		record []byte
	}
	var all []kept
	for i := range 150 {
		record := bytes.Repeat([]byte{byte(RecordCredit)}, 1+r.IntN(300))
		record = append(record[:1], bytes.Repeat([]byte{byte(i)}, len(record)-1)...)
		at := ring.Append(0, record)
		all = append(all, kept{at, record})
		end := uint64(at) + ringSize(len(record))
		if next := uint64(ring.Next()); next != end && (next != (end>>shift+1)<<shift || next-end >= largest) {
			t.Fatalf("record %d ends at %d, the next one begins at %d", i, end, next)
		}
		total, forgotten := ring.Forgotten()
		if total != uint64(ring.Next())-ringAlign {
			t.Fatalf("%d bytes were kept, expected %d", total, uint64(ring.Next())-ringAlign)
		}
		first := max(int(at>>shift)-segments+1, 0) // segment that is not written over yet
		for _, k := range all {
			got, err := ring.Read(k.at)
			here := int(k.at>>shift) >= first
			if here != (err == nil) || here && !bytes.Equal(got, k.record) || !here && !errors.Is(err, ErrGone) {
				t.Fatalf("after record %d at %d: the one at %d: %v, or another one", i, at, k.at, err)
			}
			if here != (uint64(k.at)-ringAlign >= forgotten) {
				t.Fatalf("the record at %d is there: %v, but %d bytes are forgotten", k.at, here, forgotten)
			}
		}
	}
}
