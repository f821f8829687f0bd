package link

import (
	"bytes"
	"errors"
	"flag"
	"slices"
	"testing"

	"fastpay/codec"
	"fastpay/codec/mangle"
)

// Long runs have millions of them: go test ./node/link -run Mangled -mangled 100000000 -mangled-seed 7 -timeout 0 -v
var (
	mangledCount = flag.Int("mangled", 100_000, "mangled messages that are decoded")
	mangledSeed  = flag.Uint64("mangled-seed", 1, "of them")
)

// TestDecodeMangled decodes messages of links that were damaged: what is accepted encodes to the same bytes.
func TestDecodeMangled(t *testing.T) {
	var corpus [][]byte
	for _, frame := range frames() {
		corpus = append(corpus, frame[codec.FrameHeaderSize:])
	}
	slices.SortFunc(corpus, bytes.Compare) // a map has no order
	mangled, accepted := mangle.New(*mangledSeed, corpus), 0
	m := new(Message)
	for range *mangledCount {
		b := mangled.Next()
		err := m.Decode(b)
		switch {
		case err == nil:
			accepted++
			if got := m.again()[codec.FrameHeaderSize:]; !bytes.Equal(got, b) {
				t.Fatalf("decoded %x, encoded %x", b, got)
			}
		case !errors.Is(err, ErrMessage):
			t.Fatalf("%x: %v", b, err)
		}
	}
	t.Logf("%d mangled messages, %d accepted", *mangledCount, accepted)
	if accepted < *mangledCount/50 || accepted > *mangledCount*4/5 {
		t.Errorf("%d of %d accepted: nearly all or nearly none", accepted, *mangledCount)
	}
}
