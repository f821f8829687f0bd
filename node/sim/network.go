package sim

import "fastpay/node/journal"

// The network loses, repeats, delays and reorders messages, and splits, until it is healed.

// request sends a message of a client to a shard of an authority; of a twin, to one of its copies, sometimes to both.
func (w *World) request(from int32, member, shard int, ref uint64, data []byte) {
	copies := w.members[member].copies
	first := 0
	if len(copies) > 1 {
		first = int(uint32(from)+uint32(w.now>>16)) % len(copies) // a client stays with one for a while
		if w.rng.IntN(8) == 0 {
			w.transmit(event{kind: eventRequest, from: from, to: copies[1-first][shard].index, shard: int16(shard), ref: ref,
				data: data}, 0)
		}
	}
	w.transmit(event{kind: eventRequest, from: from, to: copies[first][shard].index, shard: int16(shard), ref: ref,
		data: data}, 0)
}

// transmit sends an event over the network. What a process without siblings sends itself is not lost.
func (w *World) transmit(e event, delay uint64) {
	local := (e.kind == eventCredit || e.kind == eventAck) && e.from == e.to
	if !local {
		if w.chance(w.plan.Loss) {
			w.count.Lost++
			return
		}
		if w.split && w.separated(&e) {
			w.count.Separated++
			return
		}
		if w.chance(w.plan.Duplicates) {
			w.count.Duplicated++
			w.push(e, delay+w.delay())
		}
	} else { // in the order of sending
		if w.chance(w.plan.Duplicates) {
			w.count.Duplicated++
			w.push(e, w.plan.DelayMin)
		}
		w.push(e, w.plan.DelayMin)
		return
	}
	w.push(e, delay+w.delay())
}

// delay is how long a message takes.
func (w *World) delay() uint64 {
	d := w.plan.DelayMin + w.draw(w.plan.DelayMax-w.plan.DelayMin)
	if w.chance(w.plan.Slow) {
		w.count.Delayed++
		d *= 10
	}
	return d
}

// separated reports whether a partition is between the ends of a message. Clients are on both sides by their number,
// processes of one authority on the same.
func (w *World) separated(e *event) bool {
	switch e.kind {
	case eventRequest:
		return w.side[w.processes[e.to].member] != clientSide(e.from)
	case eventReply:
		return w.side[w.processes[e.from].member] != clientSide(e.to)
	}
	return false
}

func clientSide(client int32) bool { return client%4 == 3 }

// partition splits the network for a while, then there is peace for a while.
func (w *World) partition() {
	if w.healed {
		return
	}
	w.count.Partitions++
	w.split = true
	for i := range w.side {
		w.side[i] = w.rng.IntN(2) == 0
	}
	w.push(event{kind: eventHeal}, 1+w.draw(w.plan.PartitionMax))
}

func (w *World) unite() {
	w.split = false
	if !w.healed {
		w.push(event{kind: eventPartition}, 1+w.draw(2*w.plan.PartitionEvery))
	}
}

func newFS() *journal.MemFS { return new(journal.MemFS) }
