package node

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// fill pays until two snapshots were made, and what is behind the older one was removed.
func (c *crashWorld) fill() {
	c.t.Helper()
	for i := 0; c.made < 3 || c.firstSegment() == 1; i++ {
		if i == 1<<16 {
			c.t.Fatalf("%d snapshots, the first segment is %d", c.made, c.firstSegment())
		}
		if err := c.step(); err != nil {
			c.t.Fatal(err)
		}
		if i%32 != 0 {
			continue
		}
		if err := c.n.store.journal.Commit(); err != nil {
			c.t.Fatal(err)
		}
		for _, w := range c.n.workers { // so that nothing is kept for credits
			w.release()
			w.readBack(len(w.library.queue))
			w.acknowledge()
		}
		c.hear()
	}
	c.n.settle(c.t)
}

func (c *crashWorld) firstSegment() uint32 {
	files, err := c.n.store.journal.Segments()
	if err != nil {
		c.t.Fatal(err)
	}
	return files[0].Number
}

// TestRemovedCertificatesAreNotFound asks for certificates whose segments have gone: each is CertificateNotfound, which is
// no trouble of the disk, and the others are there.
func TestRemovedCertificatesAreNotFound(t *testing.T) {
	c := newCrashWorld(t, 1)
	c.mustStart()
	defer c.n.store.close()
	c.fill()
	gone, there := 0, 0
	for account := range c.accounts {
		next := c.n.question(t, c.world, account).InfoResponse().NextSequenceNumber
		w := c.n.byShard[c.shardOf(account)]
		s := w.open(t)
		for number := range next {
			s.feed(frame(certificateRequest(c.world, account, number)))
			w.turn(t)
			w.readBack(len(w.library.queue))
			switch m := s.replies()[0]; {
			case m.Kind == codec.KindInfoResponse && m.InfoResponse().Certificate.Order().SequenceNumber() == number:
				there++
			case m.Kind == codec.KindError && m.ErrorCode() == codec.CertificateNotfound && there == 0:
				gone++
			default:
				t.Fatalf("certificate %d of account %d, after %d that are there: %+v", number, account, there, m)
			}
		}
		if there == 0 {
			t.Errorf("account %d has no certificate at all", account)
		}
		there = 0
		if w.stats.readErrors.Load() > 0 {
			t.Fatal("counted as an error of the disk")
		}
	}
	if gone < 20 {
		t.Errorf("only %d certificates are gone", gone)
	}
}

// TestDamagedSnapshot damages the newest snapshot, at any place: the start passes it over for the older one, says so, and
// comes to the same state, since the segments after that one are kept.
func TestDamagedSnapshot(t *testing.T) {
	c := newCrashWorld(t, 2)
	c.mustStart()
	c.fill()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	if err := c.n.store.close(); err != nil {
		t.Fatal(err)
	}
	numbers, err := journal.ListSnapshots(c.mem)
	if err != nil || len(numbers) != 2 {
		t.Fatalf("snapshots %d, %v", numbers, err)
	}
	newest := fmt.Sprintf("%016x.snapshot", slices.Max(numbers))
	whole, mem := contentOf(t, c.mem, newest), c.mem
	for at := 0; at < len(whole); at += 1 + len(whole)/40 {
		c.mem = mem.Crash(keepAll)
		f, err := c.mem.Create(newest)
		if err != nil {
			t.Fatal(err)
		}
		damaged := slices.Clone(whole)
		damaged[at] ^= 4
		if _, err := f.WriteAt(damaged, 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		c.mustStart()
		r := c.n.store.journal.Recovery()
		if len(r.Damaged) != 1 || !strings.Contains(r.Damaged[0].Error(), newest) || r.Snapshot.Segment != slices.Min(numbers) {
			t.Fatalf("byte %d: damaged %v, snapshot %v", at, r.Damaged, r.Snapshot)
		}
		if err := c.check(); err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		_ = c.n.store.close()
	}
}

func contentOf(t *testing.T, fs journal.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}
