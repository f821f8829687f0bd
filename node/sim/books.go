package sim

import (
	"encoding/binary"
	"fmt"

	"fastpay/codec"
)

// books are the checker's model of a process of a correct authority: what its accounts must have after everything that
// it was seen to apply. It is too simple to be wrong, and outlives the process, so that it knows what a crash may take
// back.
type books struct {
	p        *process
	name     string
	accounts []book
	credited map[uint64]struct{} // places, see placeKey
	log      []entry             // what changed, in order: one for each record

	shownVotes   map[uint64]digest // by place: what left the process, forever
	shownNext    map[int32]uint64
	shownCredits map[uint64]struct{}
	primary      []uint64 // last transaction, by shard
}

// book is one account.
type book struct {
	balance int64
	next    uint64
	pending digest // of the order that was voted for; zero when there is none
}

// entry is one change.
type entry struct {
	kind      byte // as in records
	shard     int
	account   int32
	recipient int32 // -1: none here
	amount    int64
	number    uint64
	content   digest
	before    digest // the order that was pending before
}

// The kinds of entries, which are those of records.
const (
	recordOrder = iota
	recordCertificate
	recordCredit
	recordFund
	recordAcknowledged
)

func placeKey(account int32, number uint64) uint64 { return uint64(account)<<32 | number }

func newBooks(p *process) *books {
	b := &books{p: p, name: fmt.Sprintf("authority %d (process %d)", p.member, p.index), shownVotes: make(map[uint64]digest, p.w.plan.Payments), shownNext: make(map[int32]uint64),
		shownCredits: make(map[uint64]struct{})}
	b.reset()
	return b
}

// reset is the initial state.
func (b *books) reset() {
	b.accounts, b.credited, b.log = b.accounts[:0], make(map[uint64]struct{}, b.p.w.plan.Payments), b.log[:0]
	b.primary = make([]uint64, b.p.w.plan.Shards)
}

func (b *books) at(account int32) *book {
	for int(account) >= len(b.accounts) {
		b.accounts = append(b.accounts, book{balance: b.p.w.facts.accounts[len(b.accounts)].initial})
	}
	return &b.accounts[account]
}

func (b *books) fail(property Property, format string, args ...any) {
	b.p.w.fail(property, b.name+" "+fmt.Sprintf(format, args...))
}

// write notes a change and makes it.
func (b *books) write(e entry) {
	e.before = b.at(e.account).pending
	b.log = append(b.log, e)
	b.apply(&e)
}

func (b *books) apply(e *entry) {
	a := b.at(e.account)
	switch e.kind {
	case recordOrder:
		a.pending = e.content
	case recordCertificate:
		a.balance -= e.amount
		a.next++
		a.pending = digest{}
		if e.recipient >= 0 {
			b.at(e.recipient).balance += e.amount
			b.credited[placeKey(e.account, e.number)] = struct{}{}
		}
	case recordCredit:
		b.at(e.recipient).balance += e.amount
		b.credited[placeKey(e.account, e.number)] = struct{}{}
	case recordFund:
		b.primary[e.shard] = e.number
		if e.recipient >= 0 {
			b.at(e.recipient).balance += e.amount
		}
	}
}

// undo takes a change back that a crash has taken back. What was acknowledged must not be among these: S8.
func (b *books) undo(e *entry) {
	a := b.at(e.account)
	credited := e.kind == recordCredit || e.kind == recordCertificate && e.recipient >= 0
	switch e.kind {
	case recordOrder:
		a.pending = e.before
	case recordCertificate:
		a.balance += e.amount
		a.next--
		a.pending = e.before
	case recordFund:
		b.primary[e.shard] = e.number - 1
	}
	if e.recipient >= 0 {
		b.at(e.recipient).balance -= e.amount
	}
	if place := placeKey(e.account, e.number); credited {
		delete(b.credited, place)
		if _, shown := b.shownCredits[place]; shown {
			b.fail(propertyS8, "has forgotten the credit %x that it acknowledged", place)
		}
	}
}

// vote checks an order that the authority has just decided to sign: S2, S5, S9.
func (b *books) vote(o codec.Order, shard int) {
	f := b.p.w.facts
	f.checkOwner(o, b.name)
	id, content := f.id(o.Sender()), transferDigest(o)
	a := b.at(id)
	switch {
	case a.pending != digest{} && a.pending != content:
		b.fail(propertyS2, "signs a second order: %s", describeOrder(o))
	case o.SequenceNumber() != a.next:
		b.fail(propertyS2, "signs out of turn, next is %d: %s", a.next, describeOrder(o))
	case o.Amount() == 0 || o.Amount() > 1<<62 || a.balance < int64(o.Amount()):
		b.fail(propertyS5, "signs with a balance of %d: %s", a.balance, describeOrder(o))
	}
	b.write(entry{kind: recordOrder, shard: shard, account: id, recipient: -1, content: content, number: o.SequenceNumber()})
	b.p.w.count.Votes++
}

// accept checks a certificate that the authority did not refuse: S1, S3, S9.
func (b *books) accept(c codec.Certificate) { b.p.w.facts.certificate(c, b.name) }

// settle books a certificate that changed the state, and compares: S4, S7.
func (b *books) settle(r *request) {
	w, o := b.p.w, r.order
	from, to := w.facts.id(o.Sender()), int32(-1)
	if o.SequenceNumber() != b.at(from).next {
		b.fail(propertyS7, "settles out of turn, next is %d: %s", b.at(from).next, describeOrder(o))
		return
	}
	creditTo := -1
	if o.RecipientKind() == codec.FastPay {
		if creditTo = shardOf(o.Recipient(), w.plan.Shards); creditTo == r.shard {
			to, creditTo = w.facts.id(o.Recipient()), -1
		}
	}
	if r.out.CreditTo != creditTo {
		b.fail(propertyS4, "credits shard %d instead of %d: %s", r.out.CreditTo, creditTo, describeOrder(o))
		return
	}
	e := entry{kind: recordCertificate, shard: r.shard, account: from, recipient: to, amount: int64(o.Amount()),
		number: o.SequenceNumber(), content: transferDigest(o)}
	b.write(e)
	b.compare(propertyS4, o.Sender(), from, r.shard)
	if to >= 0 {
		b.compare(propertyS4, o.Recipient(), to, r.shard)
	}
	w.count.Settled++
	if b.at(from).balance < 0 {
		w.count.Debts++
	}
}

// credit books a credit from another shard, which must be the first if it was applied: S6.
func (b *books) credit(o codec.Order, shard int, applied bool) {
	from, to := b.p.w.facts.id(o.Sender()), b.p.w.facts.id(o.Recipient())
	_, repeated := b.credited[placeKey(from, o.SequenceNumber())]
	if applied == repeated {
		b.fail(propertyS6, "applied %v and before %v: credit of %s", applied, repeated, describeOrder(o))
		return
	}
	if applied {
		b.write(entry{kind: recordCredit, shard: shard, account: from, recipient: to, amount: int64(o.Amount()),
			number: o.SequenceNumber()})
		b.p.w.count.Credits++
	}
	b.compare(propertyS6, o.Recipient(), to, shard)
}

// fund books transaction index of the Primary, if it is the next: S4, S7.
func (b *books) fund(recipient *codec.Address, amount, index uint64, shard int, changed bool) {
	isNext := index == b.primary[shard]+1
	if changed != isNext {
		b.fail(propertyS7, "takes transaction %d of the Primary after %d: %v", index, b.primary[shard], changed)
		return
	}
	id := int32(-1)
	if shardOf(recipient, b.p.w.plan.Shards) == shard {
		id = b.p.w.facts.id(recipient)
	}
	if changed {
		b.write(entry{kind: recordFund, shard: shard, recipient: id, amount: int64(amount), number: index})
	}
	if id >= 0 {
		b.compare(propertyS4, recipient, id, shard)
	}
}

// unchanged compares after a request that should have changed no balance: S7.
func (b *books) unchanged(r *request) {
	a := &r.info.Account
	if r.kind != codec.KindInfoRequest {
		a = r.order.Sender()
	}
	id, known := b.p.w.facts.ids[*a]
	if !known {
		return
	}
	b.compare(propertyS7, a, id, r.shard)
	if r.out.Accepted {
		if next := replyNext(r.out.Reply); next != b.at(id).next {
			b.fail(propertyS7, "says that number %d is next of %x and not %d", next, a[:3], b.at(id).next)
		}
	}
}

// compare holds the balance of an account against the books.
func (b *books) compare(property Property, address *codec.Address, id int32, shard int) {
	have, _ := b.p.shards[shard].Balance(address)
	if want := balanceOf(b.at(id).balance); have != want {
		b.fail(property, "has a balance of %v for %x and not %v", have, address[:3], want)
	}
}

func balanceOf(v int64) codec.Balance {
	if v >= 0 {
		return codec.NewBalance(uint64(v))
	}
	b, _ := codec.Balance{}.Sub(codec.NewBalance(uint64(-v)))
	return b
}

// Offsets in an InfoResponse message: kind, account [32], balance [16], next number, then the option of a pending vote.
const (
	replyNextAt    = 4 + 32 + 16
	replyPendingAt = replyNextAt + 8
)

func replyNext(reply []byte) uint64 { return binary.LittleEndian.Uint64(reply[replyNextAt:]) }
