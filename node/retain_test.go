package node

import (
	"testing"
	"time"

	"fastpay/codec"
)

func TestParseRetain(t *testing.T) {
	f := func(text string, want Retain) {
		t.Helper()
		if got, err := ParseRetain(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	f("all", Retain{All: true})
	f("none", Retain{})
	f("0", Retain{})
	f("12345", Retain{Bytes: 12345})
	f("3KiB", Retain{Bytes: 3 << 10})
	f("3MiB", Retain{Bytes: 3 << 20})
	f("20GiB", Retain{Bytes: 20 << 30})
	f("8388607TiB", Retain{Bytes: 8388607 << 40}) // the largest
	for _, bad := range []string{"", "some", "All", "-1", "1.5GiB", "GiB", "1GB", "1 GiB", "+1", "8388608TiB", "9223372036854775808"} {
		if got, err := ParseRetain(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

// sizes are the number of the first segment that there is, and the bytes of all.
func (c *crashWorld) sizes() (first uint32, bytes int64) {
	files, err := c.n.store.journal.Segments()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range files {
		bytes += f.Size
	}
	return files[0].Number, bytes
}

// TestRetention pays until there were many snapshots: of the segments behind them are kept all, as many as have the bytes that
// are asked for and not more, or those alone that the older snapshot needs.
func TestRetention(t *testing.T) {
	const asked = 6 * 64 << 10 // segments of the tiny limits
	f := func(r Retain) (first, needed uint32, bytes int64) {
		t.Helper()
		c := newCrashWorld(t, 3)
		c.mustStart()
		defer c.n.store.close()
		c.n.Retain = r
		for c.made < 12 {
			c.round()
			if err := c.snapshot(); err != nil {
				t.Fatal(err)
			}
		}
		first, bytes = c.sizes()
		return first, c.n.store.journal.Snapshots()[1].Segment, bytes
	}
	if first, _, _ := f(Retain{All: true}); first != 1 {
		t.Errorf("all: the first segment is %d", first)
	}
	first, needed, least := f(Retain{})
	if first != needed || needed < 10 || least >= asked {
		t.Errorf("none: the first segment is %d, the older snapshot needs %d, %d bytes", first, needed, least)
	}
	first, needed, bytes := f(Retain{Bytes: asked})
	if first >= needed || first < 3 || bytes < asked || bytes > asked+tiny.segmentBytes {
		t.Errorf("%d bytes: the first segment is %d, the older snapshot needs %d, there are %d", asked, first, needed, bytes)
	}
}

// round pays from every account, commits, and lets everything arrive and be acknowledged.
func (c *crashWorld) round() {
	c.t.Helper()
	for account := range c.accounts {
		c.send(account, codec.AppendCertificate(nil, c.certificate(c.order(account, (account+1)%len(c.accounts), 1, c.next[account]))))
		c.next[account]++
	}
	c.n.settle(c.t)
	for range 3 { // what is durable, that it was noted, and that the payer was told
		for _, w := range c.n.workers {
			w.acknowledge()
		}
		if err := c.n.store.journal.Commit(); err != nil {
			c.t.Fatal(err)
		}
		for _, w := range c.n.workers {
			w.release()
		}
	}
	c.hear()
}

// TestSegmentsOfCreditsUnderWayStay: nothing is acknowledged, as when the shard that is paid is down, so the segments of
// credits are needed to send them again, whatever snapshots there are; they go as soon as it is.
func TestSegmentsOfCreditsUnderWayStay(t *testing.T) {
	c := newCrashWorld(t, 4)
	c.mustStart()
	defer c.n.store.close()
	c.round()
	payer, payee := c.accountIn(0, 0), c.accountIn(1, 0)
	up, down := c.n.byShard[0], c.n.byShard[1]
	kept := uint32(0)
	for deadline := time.Now().Add(patience); c.made < 6; {
		if time.Now().After(deadline) {
			t.Fatalf("%d snapshots", c.made)
		}
		c.send(payer, codec.AppendCertificate(nil, c.certificate(c.order(payer, payee, 1, c.next[payer]))))
		c.next[payer]++
		up.work()
		if err := c.n.store.journal.Commit(); err != nil {
			t.Fatal(err)
		}
		up.release()
		c.hear()
		up.publishNeeded(up.shards)
		down.publishNeeded(down.shards)
		if kept == 0 {
			kept = c.n.store.needed[c.n.store.acknowledged.place[0]].Load()
		}
		if err := c.snapshot(); err != nil {
			t.Fatal(err)
		}
	}
	if first, _ := c.sizes(); first > kept || c.n.store.journal.Snapshots()[1].Segment <= kept {
		t.Errorf("the first segment is %d, of credits that nobody acknowledged %d, of the older snapshot %d", first, kept,
			c.n.store.journal.Snapshots()[1].Segment)
	}
	for range 3 {
		c.round()
	}
	made := c.made
	for c.made == made {
		c.round()
		if err := c.snapshot(); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := c.sizes()
	if older := c.n.store.journal.Snapshots()[1].Segment; first != older {
		t.Errorf("all is acknowledged, and the first segment is %d, of the older snapshot %d", first, older)
	}
}
