package authority

import (
	"bytes"
	"errors"
	"flag"
	"testing"

	"fastpay/codec/mangle"
)

// Long runs have millions of them: go test ./node/authority -run Mangled -mangled 100000000 -mangled-seed 7 -timeout 0 -v
var (
	mangledCount = flag.Int("mangled", 100_000, "mangled records that are read; and a hundredth of it are snapshots")
	mangledSeed  = flag.Uint64("mangled-seed", 1, "of them")
)

// TestParseMangled reads records that were damaged in a way that their checksum does not show, as only a broken program
// leaves them: what is accepted is exactly what is there.
func TestParseMangled(t *testing.T) {
	var corpus [][]byte
	var at Position
	for _, l := range sampleRecords(t) {
		corpus = append(corpus, l.record)
		at = max(at, l.at)
	}
	m, accepted := mangle.New(*mangledSeed, corpus), 0
	for range *mangledCount {
		b := m.Next()
		var r Record
		err := r.Parse(at, b)
		if err == nil && !bytes.Equal(r.again(t, b, at), b) || err != nil && !errors.Is(err, ErrRecord) {
			t.Fatalf("%x was read as something else: %v", b, err)
		}
		if err == nil {
			accepted++
		}
	}
	t.Logf("%d mangled records, %d accepted", *mangledCount, accepted)
	if accepted < *mangledCount/50 || accepted > *mangledCount*4/5 {
		t.Errorf("%d of %d accepted: nearly all or nearly none", accepted, *mangledCount)
	}
}

// TestLoadMangled loads damaged snapshots: what is accepted is written again byte by byte.
func TestLoadMangled(t *testing.T) {
	m, accepted, total := mangle.New(*mangledSeed, [][]byte{sampleSnapshot(t), firstSnapshot(t, 2, nil)}), 0, *mangledCount/100
	for range total {
		b := m.Next()
		err := Load(bytes.NewReader(b), emptyShards(t, 2))
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("%x: %v", b, err)
			}
			continue
		}
		accepted++
		merger, err := NewMerger(bytes.NewReader(b), 2, []int{0, 1})
		var out bytes.Buffer
		if err == nil {
			err = merger.Write(&out)
		}
		if err != nil || !bytes.Equal(out.Bytes(), b) {
			t.Fatalf("%x becomes %x, %v", b, out.Bytes(), err)
		}
	}
	t.Logf("%d mangled snapshots, %d accepted", total, accepted)
	if accepted == 0 || accepted == total {
		t.Errorf("%d of %d accepted", accepted, total)
	}
}
