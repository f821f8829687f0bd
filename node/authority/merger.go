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
}

// A part is what changes in one shard. In its accounts, balance and received are what is added to the old ones, confirmed
// is how many payments were settled, and next and confirmedChain count only if that is not 0. receivedChain.tail is the
// last record, near and far are as they were before it.
type part struct {
	*head
	table   accountTable
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
	return m, nil
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

func (p *part) fund(address *codec.Address, balance codec.Balance) error {
	before := p.table.accounts.n
	a := p.table.open(address)
	if p.table.accounts.n == before {
		return fmt.Errorf("%w: %s", ErrFunded, codec.FormatAddress(address))
	}
	a.balance = balance
	p.created[before] = struct{}{}
	return nil
}

// Add takes in a record of a shard at its absolute position. Records come in their order, each once. Those of shards that
// are not in the snapshot are an error.
func (m *Merger) Add(shard int, at Position, record []byte) error {
	if shard < 0 || shard >= m.numShards || m.byShard[shard] == nil {
		return fmt.Errorf("%w at %v: it is of shard %d, which is not in the snapshot", ErrRecord, at, shard)
	}
	var r Record
	if err := r.Parse(at, record); err != nil {
		return err
	}
	p := m.byShard[shard]
	if !r.belongs(shard, m.numShards) {
		return p.unexpected(at, "a record of kind %d of another shard", r.Kind)
	}
	switch r.Kind {
	case RecordOrder:
		return m.order(shard, at, r.Order)
	case RecordSettlement:
		m.recent.settle(r.Order)
		return p.settlement(at, &r)
	case RecordCredit:
		l := &p.lanes[r.From]
		if r.Number != l.cursor+1 {
			return p.unexpected(at, "credit %d of shard %d, expected %d", r.Number, r.From, l.cursor+1)
		}
		l.take(&r)
		return p.credit(at, r.Account, r.Amount, &r.received)
	case RecordPrimary:
		return p.primary(at, &r, m.numShards)
	case RecordFunded:
		return p.add(at, p.table.open(r.Account), r.Balance)
	case RecordAcknowledged:
		_, err := p.lanes[r.To].out.acknowledge(r.Number, r.Sum)
		return err
	}
	return nil
}

func (p *part) unexpected(at Position, format string, args ...any) error {
	return fmt.Errorf("%w at %v for shard %d: %w", ErrRecord, at, p.shard, fmt.Errorf(format, args...))
}

// order keeps an order for a while, since its settlement mostly follows soon and makes it void; what was kept in its place
// is entered as pending.
func (m *Merger) order(shard int, at Position, o codec.Order) error {
	if m.recent.met++; m.recent.met == 1 {
		m.recent.slots = make([]recentOrder, fewerSlots)
	} else if m.recent.met == recentFew {
		if err := m.enterAll(); err != nil {
			return err
		}
		m.recent.slots = make([]recentOrder, recentSlots)
	}
	slot := m.recent.place(o)
	if err := m.enter(slot); err != nil {
		return err
	}
	slot.shard, slot.at = uint32(shard), at
	slot.length = uint8(copy(slot.order[:], o.Bytes()))
	return nil
}

// enterAll makes all orders pending that are kept.
func (m *Merger) enterAll() error {
	for i := range m.recent.slots {
		if err := m.enter(&m.recent.slots[i]); err != nil {
			return err
		}
	}
	return nil
}

// enter makes an order pending that is kept, if there is one.
func (m *Merger) enter(slot *recentOrder) error {
	if slot.length == 0 {
		return nil
	}
	o := slot.view()
	slot.length = 0
	return m.byShard[slot.shard].order(slot.at, o)
}

func (p *part) order(at Position, o codec.Order) error {
	a := p.table.open(o.Sender())
	if a.pending != 0 || a.confirmed > 0 && o.SequenceNumber() != a.next {
		return p.unexpected(at, "order %d of %s while another is pending, or out of order",
			o.SequenceNumber(), codec.FormatAddress(o.Sender()))
	}
	number := p.pending.add(o)
	a.pending = number + 1
	return nil
}

func (p *part) settlement(at Position, r *Record) error {
	o := r.Order
	a, n := p.table.open(o.Sender()), o.SequenceNumber()
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
		return p.credit(at, o.Recipient(), o.Amount(), &r.received)
	case creditAway:
		box := &p.lanes[r.To].out
		if r.Number != box.issued+1 {
			return p.unexpected(at, "credit %d to shard %d, expected %d", r.Number, r.To, box.issued+1)
		}
		box.issue(at)
	}
	return nil
}

func (p *part) credit(at Position, recipient *codec.Address, amount uint64, before *chain) error {
	a := p.table.open(recipient)
	if a.received > 0 && before.tail != a.receivedChain.tail {
		return p.unexpected(at, "a credit of %s that does not lead to the one before, at %v",
			codec.FormatAddress(recipient), a.receivedChain.tail)
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
	a := p.table.open(r.Account)
	if a.synchronized < math.MaxUint32 {
		a.synchronized++
	}
	return p.deposit(at, a, r.Amount)
}
