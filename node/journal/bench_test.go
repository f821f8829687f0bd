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

// benchJournal is a journal of that many bytes, in the page cache.
func benchJournal(b *testing.B, size int64) *Dir {
	b.Helper()
	dir := benchDir(b)
	j, stop := running(b, dir, Options{}, nil)
	batch := benchBatch(4096)
	for j.Recovery().Bytes+int64(j.Durable())*alignUp(int64(batch.Size())) < size {
		if _, err := appendWait(j, batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkRecover is a start of a large journal, file by file in the page cache: plain reading of its files for
// comparison, reading and checking them, and all that Open does.
func BenchmarkRecover(b *testing.B) {
	for _, mib := range []int64{64, 1024} {
		dir := benchJournal(b, mib<<20)
		segments, err := ListSegments(dir)
		if err != nil {
			b.Fatal(err)
		}
		size := int64(0)
		for _, s := range segments {
			size += s.Size
		}
		run := func(name string, f func() error) {
			b.Run(fmt.Sprintf("%s/MiB=%d", name, mib), func(b *testing.B) {
				b.SetBytes(size)
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		records := 0
		count := func(Record) error { records++; return nil }
		run("read", func() error {
			var buf []byte
			var err error
			for _, s := range segments {
				if buf, err = readSegment(dir, s.Number, buf); err != nil {
					return err
				}
			}
			return nil
		})
		run("scan", func() error {
			_, err := Scan(dir, count)
			return err
		})
		run("open", func() error {
			j, err := Open(dir, Options{}, count)
			if err != nil {
				return err
			}
			return j.Close()
		})
	}
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
