package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// FuzzScan reads a segment whose content, but for its header, is the input. With repair, checksums are made to match
// first, so that what they protect is tried as well. It must not panic, read more than there is, or take for a group what
// is not encoded as one.
//
//	go test ./node/journal -run '^$' -fuzz '^FuzzScan$' -fuzztime 10s
func FuzzScan(f *testing.F) {
	w := newWorkload(f, 11)
	if err := w.run(25); err != nil {
		f.Fatal(err)
	}
	for _, b := range files(f, w.mem) {
		f.Add(b[BlockSize:], true)
		f.Add(b[BlockSize:], false)
		f.Add(b[BlockSize:BlockSize+200], true)
	}
	f.Fuzz(func(t *testing.T, body []byte, repair bool) {
		if len(body) > 64<<10 {
			return // larger is slower, not different
		}
		s := segment{number: 1, salt: 0x1234, size: alignUp(BlockSize + int64(len(body)))}
		content := append(appendSegmentHeader(nil, &s, nil), body...)
		content = append(content, make([]byte, s.size-int64(len(content)))...)
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

// FuzzSegmentHeader reads a file's first block.
func FuzzSegmentHeader(f *testing.F) {
	s := segment{number: 3, salt: 7, size: testSegmentSize}
	f.Add(appendSegmentHeader(nil, &s, Identity{{"a", "b"}}), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, repair bool) {
		if repair && len(b) >= BlockSize {
			binary.LittleEndian.PutUint32(b[segOffCRC:], headerCRC(b))
		}
		s, identity, reason := parseSegmentHeader(b)
		if reason != "" {
			return
		}
		again, identityAgain, reason := parseSegmentHeader(appendSegmentHeader(nil, &s, identity))
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
