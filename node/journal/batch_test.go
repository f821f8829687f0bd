package journal

import (
	"errors"
	"testing"
)

// TestBatchGrowsBetweenAppends: a batch that found no room, and one that was appended, have more records when they are
// appended again; each record is read back by its own checksum.
func TestBatchGrowsBetweenAppends(t *testing.T) {
	j, err := Open(new(MemFS), testOptions(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	var large, b Batch
	large.Add(0, make([]byte, testGroupSize/2))
	if _, _, err := j.Append(&large); err != nil {
		t.Fatal(err)
	}
	contents := []string{string(make([]byte, testGroupSize/2)), "second", "third", ""}
	offsets := []Position{b.Add(0, []byte(contents[0]))}
	if _, _, err := j.Append(&b); !errors.Is(err, ErrFull) {
		t.Fatalf("%v, want %v", err, ErrFull)
	}
	if err := j.Commit(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= len(contents); i++ {
		base, _, err := j.Append(&b)
		if err == nil {
			err = j.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range contents[:i] {
			if _, data, err := j.Read(nil, base+offsets[k]); err != nil || string(data) != want {
				t.Errorf("of %d records, number %d: %d bytes, %v; want %d", i, k, len(data), err, len(want))
			}
		}
		if i < len(contents) {
			offsets = append(offsets, b.Add(1, []byte(contents[i])))
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
