package authority

import (
	"bytes"
	"errors"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/node/committee"
)

// crash takes an authority's memory away. What its journal has is left, cut at any record of the last batch, whose
// answers nobody saw; from that, and a snapshot of some time before, it comes back. The credits that it owes its own
// shards it finds in the journal.
func (w *world) crash() {
	if w.ring {
		return // nothing is durable
	}
	i := w.authority()
	d := w.honest[i]
	durable := len(d.log.all)
	if n := len(w.orders); n > 0 && rapid.Bool().Draw(w.t, "in a batch") {
		w.unseen(d)
	}
	cut := rapid.IntRange(durable, len(d.log.all)).Draw(w.t, "cut")
	w.tally.lost += len(d.log.all) - cut
	d.log.all = d.log.all[:cut]
	d.log.batch, d.log.size = nil, 0
	snapshotAt := rapid.IntRange(0, cut).Draw(w.t, "snapshot")

	back := newWorldDriver(w.t, w)
	back.name, back.seed, back.log = d.name, d.seed, d.log
	back.shards = nil
	opts := Options{Committee: d.committee, Name: d.name, NumShards: w.numShards, Log: d.log, HashSeed: [2]uint64{5, 6}}
	snapshot, err := w.snapshot(d.log.all[:snapshotAt])
	err = errors.Join(err, back.open(opts), Load(bytes.NewReader(snapshot), back.shards))
	for _, r := range d.log.all[snapshotAt:] {
		err = errors.Join(err, back.shards[r.shard].Replay(r.at, r.record))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.honest[i] = back
	for _, c := range w.certs { // those of the last batch may be in
		for a := range back.shardOf(*c.Order().Sender()).Accounts() {
			if a.Address == *c.Order().Sender() && a.NextSequenceNumber > c.Order().SequenceNumber() {
				w.settled[i][string(c.Order().TransferBytes())] = true
			}
		}
	}
	w.undelivered(i)
}

// unseen is a batch whose answers nobody sees: an order, a certificate and a credit, where there are any.
func (w *world) unseen(d *driver) {
	o := w.recent(w.orders)
	shard := committee.ShardOf(o.Sender(), w.numShards)
	messages := [][]byte{orderMessage(o)}
	if len(w.certs) > 0 {
		c := w.certs[rapid.IntRange(0, len(w.certs)-1).Draw(w.t, "certificate")]
		if committee.ShardOf(c.Order().Sender(), w.numShards) == shard {
			messages = append(messages, certMessage(c), orderMessage(o))
		}
	}
	d.batch(shard, messages...)
}

// snapshot is that of the initial accounts and some records.
func (w *world) snapshot(records []logged) ([]byte, error) {
	var shards []int
	for i := range w.numShards {
		shards = append(shards, i)
	}
	m, err := NewMerger(nil, w.numShards, shards)
	if err != nil {
		return nil, err
	}
	for _, seed := range w.owners {
		a := testKey(seed)
		if err := m.Fund(&a, codec.NewBalance(w.initial)); err != nil {
			return nil, err
		}
	}
	var first bytes.Buffer
	if err := m.Write(&first); err != nil {
		return nil, err
	}
	if m, err = NewMerger(&first, w.numShards, shards); err != nil {
		return nil, err
	}
	for _, r := range records {
		if err := m.Add(r.shard, r.at, r.record); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	err = m.Write(&out)
	return out.Bytes(), err
}

// undelivered adds what an authority's journal has of credits that their receivers lack. Credits that the network still
// has are repeats of them, at most.
func (w *world) undelivered(i int) {
	d := w.honest[i]
	for from, s := range d.shards {
		for to, r := range d.shards {
			at, count, err := s.Undelivered(to, r.Cursor(from))
			if err != nil {
				w.t.Fatal(err)
			}
			first, ok := d.log.find(at)
			if count > 0 && !ok {
				w.t.Fatalf("no record at %v", at)
			}
			for found := uint64(0); found < count; first++ {
				l := d.log.all[first]
				var record Record
				if err := record.Parse(l.at, l.record); err != nil {
					w.t.Fatal(err)
				}
				if l.shard != from || record.Kind != RecordSettlement || record.To != to || record.Number <= r.Cursor(from) {
					continue
				}
				found++
				raw, err := record.AppendCertificate(nil, d.committee)
				c, parseErr := codec.ParseCertificate(raw)
				if err != nil || parseErr != nil || record.Number != r.Cursor(from)+found {
					w.t.Fatalf("credit %d after %d: %v, %v", record.Number, r.Cursor(from), err, parseErr)
				}
				w.credits[i] = append(w.credits[i], credit{from, to, record.Number, l.at, c})
			}
		}
	}
}
