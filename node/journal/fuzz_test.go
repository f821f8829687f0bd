package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzScan reads a segment that was written by a workload, edited: raw replaces the beginning of its groups, and each
// three bytes of edits are an offset and what is xored to the byte there. With repair, checksums are made to match
// afterwards, so that what they protect is tried as well. Reading must not panic, see more than there is, or take for a
// group what is not encoded as one.
//
//	go test ./node/journal -run '^$' -fuzz '^FuzzScan$' -fuzztime 10s
func FuzzScan(f *testing.F) {
	w := newWorkload(f, 11)
	if err := w.run(25); err != nil {
		f.Fatal(err)
	}
	whole := files(f, w.mem)[segmentName(1)]
	f.Add([]byte{}, []byte{}, false)
	f.Add([]byte{}, []byte{0, grpOffLength, 1, 0x10, 0, 0xff}, true)
	f.Add([]byte("GRP1"), []byte{0, grpOffRecords, 1}, true)
	f.Add(whole[BlockSize:BlockSize+80], []byte{}, true)
	f.Fuzz(func(t *testing.T, raw, edits []byte, repair bool) {
		s, _, reason := parseSegmentHeader(whole)
		if reason != "" {
			t.Fatal(reason)
		}
		content := bytes.Clone(whole)
		groups := content[BlockSize:]
		copy(groups, raw)
		for ; len(edits) >= 3; edits = edits[3:] {
			groups[int(binary.BigEndian.Uint16(edits))%len(groups)] ^= edits[2]
		}
		if repair {
			repairGroups(content, s.salt)
		}
		bytesSeen := int64(0)
		found, err := Scan(fsOf(t, map[string][]byte{segmentName(1): content}), func(r Record) error {
			bytesSeen += RecordHeaderSize + int64(len(r.Data))
			return nil
		})
		if bytesSeen > int64(len(content)) || found.Bytes > int64(len(content)) {
			t.Fatalf("%d bytes of records, %d of groups in a segment of %d", bytesSeen, found.Bytes, len(content))
		}
		if err != nil && !errors.As(err, new(*CorruptError)) {
			t.Fatal(err)
		}
		if text := fmt.Sprint(err); err != nil && !strings.Contains(text, segmentName(1)+": offset ") {
			t.Fatalf("the error does not say where: %s", text)
		}
		for at := int64(BlockSize); at < int64(len(content)); at += BlockSize {
			g, ok := parseGroup(content[at:], s.salt)
			if !ok {
				continue
			}
			again := append(make([]byte, groupHeaderSize), g.records...)
			finishGroup(again, s.salt, g.sequence, g.durable, g.count)
			if !bytes.Equal(again, content[at:at+int64(len(again))]) {
				t.Fatalf("the group at %d encodes to something else", at)
			}
		}
	})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// repairGroups makes the checksum of everything that might be a group match.
func repairGroups(content []byte, salt uint32) {
	for at := BlockSize; at < len(content); at += BlockSize {
		b := content[at:]
		length := binary.LittleEndian.Uint32(b[grpOffLength:])
		if length >= groupHeaderSize && int64(length) <= int64(len(b)) {
			binary.LittleEndian.PutUint32(b, groupMagic)
			binary.LittleEndian.PutUint32(b[grpOffCRC:], crc32.Update(salt, castagnoli, b[grpOffSequence:length]))
		}
	}
}

// FuzzSegmentHeader reads a file's first block, edited as in FuzzScan, and cut.
func FuzzSegmentHeader(f *testing.F) {
	s := segment{number: 3, salt: 7, size: testSegmentSize}
	whole := segmentHeader(&s, Identity{{"a", "b"}, {"authority", "0011"}})
	f.Add([]byte{}, uint16(0), true)
	f.Add([]byte{0, segOffNumber, 2, 0, segOffIdentity, 9}, uint16(0), true)
	f.Add([]byte{0, 7, 1}, uint16(0), false)
	f.Add([]byte("0 0"), uint16(0), true) // a longer identity, of which the rest is empty names
	f.Add([]byte{}, uint16(100), false)
	f.Fuzz(func(t *testing.T, edits []byte, cut uint16, repair bool) {
		b := bytes.Clone(whole)
		for ; len(edits) >= 3; edits = edits[3:] {
			b[int(binary.BigEndian.Uint16(edits))%len(b)] ^= edits[2]
		}
		b = b[:len(b)-int(cut)%(len(b)+1)]
		if repair && len(b) >= BlockSize {
			binary.LittleEndian.PutUint32(b[segOffCRC:], headerCRC(b))
		}
		s, identity, reason := parseSegmentHeader(b)
		if reason != "" {
			return
		}
		again, identityAgain, reason := parseSegmentHeader(segmentHeader(&s, identity))
		if reason != "" || again != s || identity.difference(identityAgain) != nil {
			t.Fatalf("%+v, %v, encoded again %+v, %v, %s", s, identity, again, identityAgain, reason)
		}
	})
}

// FuzzCrash runs a workload with the seed, and crashes at moments that the seed chooses.
func FuzzCrash(f *testing.F) {
	for seed := range uint64(3) {
		f.Add(seed, uint8(2))
	}
	f.Fuzz(func(t *testing.T, seed uint64, keep uint8) {
		w := newWorkload(t, seed)
		crash := rand.New(rand.NewPCG(seed, 5))
		w.inject = func(op Op) error {
			if op.Kind.Changes() && crash.IntN(8) == 0 {
				left := w.mem.Crash(func() bool { return crash.UintN(256) < uint(keep)*64 })
				if err := w.checkCrash(left); err != nil {
					t.Fatalf("seed %d, %v: %v", seed, op, err)
				}
			}
			return nil
		}
		if err := w.run(40); err != nil {
			t.Fatal(err)
		}
	})
}
