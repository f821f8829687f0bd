package authority

import (
	"fmt"
	"io"
	"math"

	"fastpay/codec"
	"fastpay/node/committee"
)

// A Merger makes the next snapshot from the last one and the records written since, without the shards. It takes the
// records first, and keeps what they change: an account for each that they touch, and its pending order. Then it reads the
// old snapshot once, and writes the new one as it goes.
//
// It checks less than Replay, since the records were applied before, but what does not fit together is an error. The
// supply is assumed to be such that no balance reaches the limits of 128 bits.
type Merger struct {
	// Pause is called now and then where Write works for long without reading or writing. May be nil.
	Pause func()

	numShards int
	old       *snapshotReader // nil when there is none
	parts     []*part         // by ascending shard
	byShard   []*part
	recent    recentOrders
	steps     [stepsAhead]step
	lookups   [2 * stepsAhead]*lookup
	touched   uint64 // so that what look reads is read
}

// A part is what changes in one shard. In its accounts, balance and received are what is added to the old ones, confirmed
// is how many payments were settled, and next and confirmedChain count only if that is not 0. receivedChain.tail is the
// last record, near and far are as they were before it.
type part struct {
	*head
	key     foldKey
	table   accountTable // by key, not by its own
	pending pendingTable
	created map[uint32]struct{} // accounts, by number, that must be new
}

// NewMerger begins with the snapshot old, of the given shards in ascending order, or without one when old is nil.
func NewMerger(old io.Reader, numShards int, shards []int) (m *Merger, err error) {
	m = &Merger{numShards: numShards, byShard: make([]*part, numShards)}
	if old != nil {
		if m.old, err = newSnapshotReader(old, numShards, shards); err != nil {
			return nil, err
		}
	}
	for i, shard := range shards {
		p := &part{head: &head{shard: shard, lanes: make([]lane, numShards)}, created: make(map[uint32]struct{})}
		if m.old != nil {
			p.head = m.old.heads[i]
		}
		p.table.index.reserve(0)
		m.parts = append(m.parts, p)
		m.byShard[shard] = p
	}
	m.Seed([2]uint64{})
	return m, nil
}

// Seed makes places in tables unpredictable, as Options.HashSeed does; the new snapshot does not depend on it. It comes
// before the first account.
func (m *Merger) Seed(seed [2]uint64) {
	for _, p := range m.parts {
		p.key = newFoldKey(seed)
	}
}

// Fund adds an account that neither the old snapshot nor an earlier record has. One of a shard that is not in the
// snapshot is left out.
func (m *Merger) Fund(address *codec.Address, balance codec.Balance) error {
	p := m.byShard[committee.ShardOf(address, m.numShards)]
	if p == nil {
		return nil
	}
	return p.fund(address, balance)
}

// open is the account at a, made if it is not there.
func (p *part) open(a *codec.Address) *account { return p.table.openHashed(a, p.key.of(a)) }

func (p *part) fund(address *codec.Address, balance codec.Balance) error {
	before := p.table.accounts.n
	a := p.open(address)
	if p.table.accounts.n == before {
		return fmt.Errorf("%w: %s", ErrFunded, codec.FormatAddress(address))
	}
	a.balance = balance
	p.created[before] = struct{}{}
	return nil
}

// A Logged is a record of a shard at its absolute position.
type Logged struct {
	Shard  int
	At     Position
	Record []byte
}

// Add takes in a record of a shard at its absolute position, see AddAll.
func (m *Merger) Add(shard int, at Position, record []byte) error {
	one := [1]Logged{{shard, at, record}}
	return m.AddAll(one[:])
}

// AddAll takes in records. They come in their order, each once. Those of shards that are not in the snapshot are an error.
// Their bytes must stay as they are until Leave has let them go.
func (m *Merger) AddAll(records []Logged) error {
	for len(records) > 0 {
		n := min(len(records), stepsAhead)
		steps, bad := m.begin(records[:n])
		m.look(steps)
		for i := range steps {
			if err := m.apply(&steps[i]); err != nil {
				return err
			}
		}
		if bad != nil {
			return bad
		}
		records = records[n:]
	}
	return nil
}

// Leave comes before the bytes of records at positions before the one given change. What is pending of them is copied.
func (m *Merger) Leave(before Position) error {
	for o := m.recent.oldest(); o != nil && o.at < before; o = m.recent.oldest() {
		if err := m.enterOldest(); err != nil {
			return err
		}
	}
	return nil
}

// apply takes in a record that begins with the accounts that look has found.
func (m *Merger) apply(s *step) error {
	p, at, r := s.part, s.at, &s.Record
	switch r.Kind {
	case RecordOrder:
		return m.order(s)
	case RecordSettlement:
		m.recent.settle(s.key, r.Order)
		return p.settlement(s)
	case RecordCredit:
		l := &p.lanes[r.From]
		if r.Number != l.cursor+1 {
			return p.unexpected(at, "credit %d of shard %d, expected %d", r.Number, r.From, l.cursor+1)
		}
		l.take(r)
		return p.credit(at, p.found(r.Account, &s.payee), r.Amount, &r.received)
	case RecordPrimary:
		return p.primary(at, r, m.numShards)
	case RecordFunded:
		return p.add(at, p.open(r.Account), r.Balance)
	case RecordAcknowledged:
		_, err := p.lanes[r.To].out.acknowledge(r.Number, r.Sum)
		return err
	}
	return nil
}

func (p *part) unexpected(at Position, format string, args ...any) error {
	return fmt.Errorf("%w at %v for shard %d: %w", ErrRecord, at, p.shard, fmt.Errorf(format, args...))
}

// order keeps an order for a while, since its settlement mostly follows soon and makes it void; what finds no room is
// pending at once.
func (m *Merger) order(s *step) error {
	r := &m.recent
	if r.met++; r.met == 1 {
		r.grow(fewerSlots)
	} else if r.met == recentFew {
		if err := m.enterAll(); err != nil {
			return err
		}
		r.grow(recentMost)
	}
	if r.full() {
		if err := m.enterOldest(); err != nil {
			return err
		}
	}
	if r.keep(s.key, recentOrder{record: s.raw, part: s.part, at: s.at}) {
		return nil
	}
	return s.part.order(s.at, s.Order)
}

// enterAll makes all orders pending that are kept.
func (m *Merger) enterAll() error { return m.Leave(math.MaxUint64) }

// enterOldest makes the oldest order pending that is kept.
func (m *Merger) enterOldest() error {
	o := m.recent.pop()
	return o.part.order(o.at, o.order())
}

func (p *part) order(at Position, o codec.Order) error {
	a := p.open(o.Sender())
	if a.pending != 0 || a.confirmed > 0 && o.SequenceNumber() != a.next {
		return p.unexpected(at, "order %d of %s while another is pending, or out of order",
			o.SequenceNumber(), codec.FormatAddress(o.Sender()))
	}
	number := p.pending.add(o)
	a.pending = number + 1
	return nil
}

func (p *part) settlement(s *step) error {
	at, r, o := s.at, &s.Record, s.Order
	a, n := p.found(o.Sender(), &s.payer), o.SequenceNumber()
	if a.confirmed > 0 && (n != a.next || r.confirmed != a.confirmedChain) {
		return p.unexpected(at, "payment %d of %s, expected %d, or it does not lead to the one before",
			n, codec.FormatAddress(o.Sender()), a.next)
	}
	var ok bool
	if a.balance, ok = a.balance.Sub(codec.NewBalance(o.Amount())); !ok {
		return p.unexpected(at, "the changes of %s do not fit in 128 bits", codec.FormatAddress(o.Sender()))
	}
	a.next = n + 1
	a.confirmed++
	a.confirmedChain = r.confirmed
	a.confirmedChain.extend(a.next, at)
	if a.pending != 0 {
		p.pending.release(a.pending - 1)
		a.pending = 0
	}
	switch r.credit {
	case creditHere:
		return p.credit(at, p.found(o.Recipient(), &s.payee), o.Amount(), &r.received)
	case creditAway:
		box := &p.lanes[r.To].out
		if r.Number != box.issued+1 {
			return p.unexpected(at, "credit %d to shard %d, expected %d", r.Number, r.To, box.issued+1)
		}
		box.issue(at)
	}
	return nil
}

func (p *part) credit(at Position, a *account, amount uint64, before *chain) error {
	if a.received > 0 && before.tail != a.receivedChain.tail {
		return p.unexpected(at, "a credit of %s that does not lead to the one before, at %v",
			codec.FormatAddress(&a.address), a.receivedChain.tail)
	}
	a.received++
	a.receivedChain = chain{tail: at, near: before.near, far: before.far}
	return p.deposit(at, a, amount)
}

func (p *part) deposit(at Position, a *account, amount uint64) error {
	return p.add(at, a, codec.NewBalance(amount))
}

func (p *part) add(at Position, a *account, balance codec.Balance) error {
	var ok bool
	if a.balance, ok = a.balance.Add(balance); !ok {
		return p.unexpected(at, "the changes of %s do not fit in 128 bits", codec.FormatAddress(&a.address))
	}
	return nil
}

func (p *part) primary(at Position, r *Record, numShards int) error {
	if r.Index != p.lastTransaction+1 {
		return p.unexpected(at, "transaction %d of the Primary, expected %d", r.Index, p.lastTransaction+1)
	}
	p.lastTransaction = r.Index
	if committee.ShardOf(r.Account, numShards) != p.shard {
		return nil
	}
	a := p.open(r.Account)
	if a.synchronized < math.MaxUint32 {
		a.synchronized++
	}
	return p.deposit(at, a, r.Amount)
}
