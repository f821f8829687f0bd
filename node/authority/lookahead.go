package authority

import (
	"fmt"

	"fastpay/codec"
)

// A step is a record on its way into a Merger. Most of the time that merging takes is waiting for memory, so records go some
// at a time: what each needs is looked at for all of them, where nothing waits for the one before, and then they are
// applied in their order.
type step struct {
	Record
	part *part
	at   Position
	raw  []byte
	key  uint64 // among recent orders, of an order or settlement

	payer, payee lookup
	recent       *recentOrder // that a settlement may be about
}

// stepsAhead is how many records are looked at together: more than a core reads from memory at once.
const stepsAhead = 32

// A lookup is an account that a record is about. Others may be made before it is applied, so it is no more than a guess.
type lookup struct {
	probe
	part  *part
	hash  uint64
	guess uint32 // the account's number + 1, 0 if there seems to be none
}

// begin parses records. If one of them is bad, the steps are those before it.
func (m *Merger) begin(records []Logged) (steps []step, bad error) {
	for i := range records {
		l, s := &records[i], &m.steps[i]
		if l.Shard < 0 || l.Shard >= m.numShards || m.byShard[l.Shard] == nil {
			return m.steps[:i], fmt.Errorf("%w at %v: it is of shard %d, which is not in the snapshot", ErrRecord, l.At, l.Shard)
		}
		if err := s.Parse(l.At, l.Record); err != nil {
			return m.steps[:i], err
		}
		s.part, s.at, s.raw = m.byShard[l.Shard], l.At, l.Record
		if !s.belongs(l.Shard, m.numShards) {
			return m.steps[:i], s.part.unexpected(l.At, "a record of kind %d of another shard", s.Kind)
		}
	}
	return m.steps[:len(records)], nil
}

// look finds the accounts of steps, and recent orders, as far as they are there. Each loop reads what the one before has
// found out where to find.
func (m *Merger) look(steps []step) {
	lookups := m.lookups[:0]
	for i := range steps {
		s := &steps[i]
		switch s.Kind {
		case RecordOrder:
			s.key = recentKey(s.Order)
		case RecordSettlement:
			s.key = recentKey(s.Order)
			s.payer.begin(s.part, s.Order.Sender())
			lookups = append(lookups, &s.payer)
			if s.credit == creditHere {
				s.payee.begin(s.part, s.Order.Recipient())
				lookups = append(lookups, &s.payee)
			}
		case RecordCredit:
			s.payee.begin(s.part, s.Account)
			lookups = append(lookups, &s.payee)
		}
	}
	touched := uint64(0)
	for _, l := range lookups {
		touched += l.segment.slots[l.place]
	}
	if len(m.recent.slots) > 0 {
		for i := range steps {
			touched += uint64(m.recent.slots[m.recent.place(steps[i].key)].tag)
		}
	}
	for _, l := range lookups {
		touched += l.find()
	}
	m.touched += touched + m.lookAtOrders(steps)
}

// lookAtOrders reads of the recent orders that steps seem to settle what tells that they do.
func (m *Merger) lookAtOrders(steps []step) (touched uint64) {
	if len(m.recent.slots) == 0 {
		return 0
	}
	for i := range steps {
		if s := &steps[i]; s.Kind == RecordSettlement {
			s.recent = m.recent.candidate(s.key)
			if s.recent != nil {
				touched += uint64(s.recent.at)
			}
		}
	}
	for i := range steps {
		if s := &steps[i]; s.Kind == RecordSettlement && s.recent != nil && len(s.recent.record) > 0 {
			touched += uint64(s.recent.record[0]) + uint64(s.recent.record[len(s.recent.record)/2])
		}
	}
	return touched
}

func (l *lookup) begin(p *part, a *codec.Address) {
	l.part, l.hash = p, p.key.of(a)
	l.probe = p.table.index.probe(l.hash)
}

// find guesses the account, and reads some of it.
func (l *lookup) find() (touched uint64) {
	l.guess = 0
	i, ok := l.next()
	if !ok {
		return 0
	}
	l.guess = i + 1
	a := l.part.table.accounts.at(i)
	return uint64(a.address[0]) + uint64(a.receivedChain.tail)
}

// found is the account at a, for which l has looked, made if it is not there.
func (p *part) found(a *codec.Address, l *lookup) *account {
	if l.guess != 0 {
		if c := p.table.accounts.at(l.guess - 1); c.address == *a {
			return c
		}
	}
	return p.table.openHashed(a, l.hash)
}
