package journal

import (
	"fmt"
	"testing"
)

// benchBatch is a batch of records of the size of an order, 149 bytes and a byte for its kind.
func benchBatch(records int) *Batch {
	var b Batch
	for i := range records {
		b.Add(uint32(i%4), []byte{1}, make([]byte, 149))
	}
	return &b
}

func benchDir(b *testing.B) *Dir {
	b.Helper()
	dir, err := OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkCommit is one group after the other on a real disk: append, write, sync.
func BenchmarkCommit(b *testing.B) {
	for _, records := range []int{1, 256, 1024} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			batch := benchBatch(records)
			j, stop := running(b, benchDir(b), Options{}, nil)
			b.ReportAllocs()
			b.SetBytes(int64(batch.Size()))
			for b.Loop() {
				if _, err := appendWait(j, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			if err := stop(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkAppendNow is BenchmarkCommit on the goroutine that appends.
func BenchmarkAppendNow(b *testing.B) {
	for _, records := range []int{1, 256} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			batch := benchBatch(records)
			j, stop := running(b, benchDir(b), Options{}, nil)
			b.ReportAllocs()
			b.SetBytes(int64(batch.Size()))
			for b.Loop() {
				_, group, committed, err := j.AppendNow(batch)
				if err == nil && !committed { // a segment is being made
					err = j.Wait(group)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			if err := stop(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkWriteSync is what the disk alone takes for a group of one block.
func BenchmarkWriteSync(b *testing.B) {
	dir := benchDir(b)
	s := segment{number: 1, size: DefaultSegmentSize}
	if err := writeSegment(dir, &s, nil); err != nil {
		b.Fatal(err)
	}
	block, at := make([]byte, BlockSize), int64(0)
	for b.Loop() {
		if err := s.file.WriteSync(block, at); err != nil {
			b.Fatal(err)
		}
		at = (at + BlockSize) % s.size
	}
	if err := s.file.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend is what a worker pays for a batch: making it, and copying it into the group. The disk is not waited
// for.
func BenchmarkAppend(b *testing.B) {
	const records = 256
	j, err := Open(new(MemFS), Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	kind, data := []byte{1}, make([]byte, 149)
	var batch Batch
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		for i := range records {
			batch.Add(uint32(i%4), kind, data)
		}
		if _, _, err := j.Append(&batch); err != nil {
			j.filling.buf, j.filling.count = j.filling.buf[:groupHeaderSize], 0 // full: forget it
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}

// BenchmarkScan is the part of recovery that grows with the journal, on files in the page cache.
func BenchmarkScan(b *testing.B) {
	dir := benchDir(b)
	j, stop := running(b, dir, Options{}, nil)
	batch := benchBatch(1024) // 256 of them are 44 MB: two segments
	for range 256 {
		if _, err := appendWait(j, batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	records, bytes := uint64(0), int64(0)
	for b.Loop() {
		found, err := Scan(dir, func(Record) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		records, bytes = found.Records, found.Bytes
	}
	b.SetBytes(bytes)
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkOpen is a start of a journal with one segment: reading it, and making its content durable again.
func BenchmarkOpen(b *testing.B) {
	dir := benchDir(b)
	for b.Loop() {
		j, err := Open(dir, Options{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	j, stop := running(b, benchDir(b), Options{}, nil)
	base, err := appendWait(j, benchBatch(256))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := j.Read(buf, base); err != nil {
			b.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
}
