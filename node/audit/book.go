package audit

import (
	"fmt"
	"math/big"
	"slices"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// book is an authority's accounts as they follow from a journal's records, kept as naively as can be.
type book struct {
	numShards int
	shards    []int // of the journal
	first     uint32
	index     map[codec.Address]uint32
	accounts  []account
	pending   map[uint32][]byte // transfer orders, by account
	lanes     map[[2]int]*lane  // by paying and credited shard
	last      map[int]uint64    // transaction of the Primary, by shard
	flying    map[credit]flight // sent to a shard of the journal, and not arrived
	minted    *big.Int          // what came in: initial accounts, added ones, and the Primary's, without what went out to it
}

type account struct {
	address      codec.Address
	balance      codec.Balance
	next         uint64
	synchronized uint32
	confirmed    accountLog
	received     accountLog
}

type credit struct {
	from, to int
	number   uint64
}

type flight struct {
	at        authority.Position // of the settlement
	recipient codec.Address
	amount    uint64
}

func newBook(numShards int, shards []int) *book {
	return &book{numShards: numShards, shards: shards, index: make(map[codec.Address]uint32),
		pending: make(map[uint32][]byte), lanes: make(map[[2]int]*lane), last: make(map[int]uint64),
		flying: make(map[credit]flight), minted: new(big.Int)}
}

func (b *book) has(shard int) bool { return slices.Contains(b.shards, shard) }

// find is the number of an account; ok is false if it is not there.
func (b *book) find(a *codec.Address) (n uint32, ok bool) {
	n, ok = b.index[*a]
	return n, ok
}

// open is the number of an account, made if it is not there.
func (b *book) open(a *codec.Address) uint32 {
	n, ok := b.index[*a]
	if !ok {
		n = uint32(len(b.accounts))
		b.index[*a] = n
		b.accounts = append(b.accounts, account{address: *a})
	}
	return n
}

func (b *book) lane(from, to int) *lane {
	l := b.lanes[[2]int{from, to}]
	if l == nil {
		l = &lane{from: from, to: to}
		b.lanes[[2]int{from, to}] = l
	}
	return l
}

func (b *book) deposit(n uint32, amount codec.Balance) {
	a := &b.accounts[n]
	sum, ok := a.balance.Add(amount)
	if !ok {
		sum = codec.MaxBalance
	}
	a.balance = sum
}

// apply takes in a record, and returns what is wrong with it, or nothing. What is wrong is taken in as far as it can
// be.
func (b *book) apply(at journal.Position, shard int, r *authority.Record) (problem string) {
	switch r.Kind {
	case authority.RecordOrder:
		return b.order(shard, r.Order)
	case authority.RecordSettlement:
		return b.settlement(at, shard, r)
	case authority.RecordCredit:
		return b.credit(at, shard, r)
	case authority.RecordPrimary:
		return b.primary(shard, r)
	case authority.RecordFunded:
		return b.funded(shard, r)
	case authority.RecordAcknowledged:
		return b.acknowledged(shard, r)
	}
	return ""
}

func (b *book) order(shard int, o codec.Order) string {
	name, sequence := codec.FormatAddress(o.Sender()), o.SequenceNumber()
	if problem := b.lives(shard, o.Sender()); problem != "" {
		return problem
	}
	n, ok := b.find(o.Sender())
	if !ok {
		return fmt.Sprintf("an order of %s, which has no account", name)
	}
	a := &b.accounts[n]
	if sequence != a.next {
		return fmt.Sprintf("order %d of %s was signed, though %d is the next one", sequence, name, a.next)
	}
	if pending, ok := b.pending[n]; ok && string(pending) != string(o.TransferBytes()) {
		return fmt.Sprintf("two orders %d of %s were signed: money may be spent twice", sequence, name)
	}
	b.pending[n] = slices.Clone(o.TransferBytes())
	if o.Amount() == 0 {
		return fmt.Sprintf("order %d of %s of nothing was signed", sequence, name)
	}
	if a.balance.Less(codec.NewBalance(o.Amount())) {
		return fmt.Sprintf("order %d of %s of %d was signed with a balance of %v", sequence, name, o.Amount(), a.balance)
	}
	return ""
}

// lives complains if an account is not of the shard that has a record of it.
func (b *book) lives(shard int, a *codec.Address) string {
	if home := committee.ShardOf(a, b.numShards); home != shard {
		return fmt.Sprintf("%s is of shard %d, but in a record of shard %d", codec.FormatAddress(a), home, shard)
	}
	return ""
}

func (b *book) settlement(at journal.Position, shard int, r *authority.Record) (problem string) {
	o := r.Order
	if problem := b.lives(shard, o.Sender()); problem != "" {
		return problem
	}
	name, sequence := codec.FormatAddress(o.Sender()), o.SequenceNumber()
	n := b.open(o.Sender())
	a := &b.accounts[n]
	if sequence != a.next {
		problem = fmt.Sprintf("payment %d of %s was settled, though %d is the next one", sequence, name, a.next)
		if sequence < a.next {
			return problem
		}
	}
	balance, ok := a.balance.Sub(codec.NewBalance(o.Amount()))
	if !ok {
		return fmt.Sprintf("payment %d of %s leaves a balance below 128 bits", sequence, name)
	}
	a.balance, a.next = balance, sequence+1
	delete(b.pending, n)
	if wrong := a.confirmed.add(authority.Position(at), r.ConfirmedLinks()); problem == "" && wrong != "" {
		problem = fmt.Sprintf("the log of what %s confirmed: %s", name, wrong)
	}
	to := -1
	if o.RecipientKind() == codec.FastPay {
		to = committee.ShardOf(o.Recipient(), b.numShards)
		if to == shard {
			to = -1
			if wrong := b.receive(at, o.Recipient(), o.Amount(), r); problem == "" {
				problem = wrong
			}
		}
	} else {
		b.minted.Sub(b.minted, new(big.Int).SetUint64(o.Amount()))
	}
	if to != r.To {
		return fmt.Sprintf("payment %d of %s makes a credit to shard %d, expected %d", sequence, name, r.To, to)
	}
	if to < 0 {
		return problem
	}
	l := b.lane(shard, to)
	if r.Number != l.issued+1 {
		problem = fmt.Sprintf("credit %d of shard %d to %d, expected %d", r.Number, shard, to, l.issued+1)
	}
	l.issued = r.Number
	b.send(at, shard, r)
	return problem
}

// receive credits an account with the certificate of a record.
func (b *book) receive(at journal.Position, recipient *codec.Address, amount uint64, r *authority.Record) (problem string) {
	n := b.open(recipient)
	b.deposit(n, codec.NewBalance(amount))
	if wrong := b.accounts[n].received.add(authority.Position(at), r.ReceivedLinks()); wrong != "" {
		return fmt.Sprintf("the log of what %s received: %s", codec.FormatAddress(recipient), wrong)
	}
	return ""
}

// send notes a credit that is under way.
func (b *book) send(at journal.Position, shard int, r *authority.Record) {
	if r.To >= 0 && !b.has(r.To) {
		b.lane(shard, r.To).send(r)
	}
	if r.To >= 0 && b.has(r.To) && r.Number > b.lane(shard, r.To).cursor {
		b.flying[credit{shard, r.To, r.Number}] = flight{authority.Position(at), *r.Order.Recipient(), r.Order.Amount()}
	}
}

func (b *book) credit(at journal.Position, shard int, r *authority.Record) (problem string) {
	if problem := b.lives(shard, r.Account); problem != "" {
		return problem
	}
	if r.From < 0 || r.From >= b.numShards || r.From == shard {
		return fmt.Sprintf("a credit of shard %d of %d", r.From, b.numShards)
	}
	if r.NumVotes() > 0 && committee.ShardOf(r.Order.Sender(), b.numShards) != r.From {
		problem = fmt.Sprintf("credit %d of shard %d is of a payer of another one", r.Number, r.From)
	}
	l := b.lane(r.From, shard)
	if r.Number != l.cursor+1 {
		problem = fmt.Sprintf("credit %d of shard %d arrived, expected %d", r.Number, r.From, l.cursor+1)
		if r.Number <= l.cursor {
			return problem + ": it was applied before"
		}
	}
	l.take(r.Number, r.Order)
	sent, ok := b.flying[credit{r.From, shard, r.Number}]
	delete(b.flying, credit{r.From, shard, r.Number})
	switch {
	case ok && (sent.recipient != *r.Account || sent.amount != r.Amount || r.At != 0 && r.At != sent.at):
		problem = fmt.Sprintf("credit %d of shard %d is %d for %s from %v, but %d for %s from %v was sent", r.Number, r.From,
			r.Amount, codec.FormatAddress(r.Account), r.At, sent.amount, codec.FormatAddress(&sent.recipient), sent.at)
	case !ok && b.has(r.From) && (r.At == 0 || journal.Position(r.At).Segment() >= b.first):
		problem = fmt.Sprintf("credit %d of shard %d arrived, but was not sent", r.Number, r.From)
	}
	if wrong := b.receive(at, r.Account, r.Amount, r); problem == "" {
		problem = wrong
	}
	return problem
}

func (b *book) primary(shard int, r *authority.Record) (problem string) {
	if want := b.last[shard] + 1; r.Index != want {
		problem = fmt.Sprintf("transaction %d of the Primary, expected %d", r.Index, want)
		if r.Index < want {
			return problem
		}
	}
	b.last[shard] = r.Index
	if committee.ShardOf(r.Account, b.numShards) == shard {
		n := b.open(r.Account)
		b.deposit(n, codec.NewBalance(r.Amount))
		b.minted.Add(b.minted, new(big.Int).SetUint64(r.Amount))
		if a := &b.accounts[n]; a.synchronized+1 != 0 {
			a.synchronized++
		}
	}
	return problem
}

func (b *book) funded(shard int, r *authority.Record) string {
	if problem := b.lives(shard, r.Account); problem != "" {
		return problem
	}
	b.deposit(b.open(r.Account), r.Balance)
	b.minted.Add(b.minted, r.Balance.Big())
	return ""
}

func (b *book) acknowledged(shard int, r *authority.Record) (problem string) {
	l := b.lane(shard, r.To)
	if r.Number > l.issued || r.Number < l.acknowledged {
		problem = fmt.Sprintf("credits of shard %d to %d are acknowledged up to %d, expected %d to %d", shard, r.To, r.Number,
			l.acknowledged, l.issued)
	}
	if b.has(r.To) && r.Number > l.cursor {
		problem = fmt.Sprintf("credits of shard %d to %d are acknowledged up to %d, but arrived up to %d", shard, r.To,
			r.Number, l.cursor)
	}
	if b.has(r.To) {
		l.acknowledged = max(l.acknowledged, r.Number)
	} else if wrong := l.acknowledge(r.Number, r.Sum); problem == "" {
		problem = wrong
	}
	return problem
}

// total is all balances together.
func (b *book) total() *big.Int {
	sum := new(big.Int)
	for i := range b.accounts {
		sum.Add(sum, b.accounts[i].balance.Big())
	}
	return sum
}
