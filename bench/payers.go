package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// payers drives a whole committee, as all its payers at once: the order of a payment goes to every authority, the
// certificate is made of the first quorum of votes that verify and goes to every authority, and the payment is settled
// when a quorum says so. One thread serves all connections, and verifies the votes of a step together. An authority that
// breaks off is tried again, and is sent what it missed when it asks for that.
type payers struct {
	poller
	meter    *meter
	made     *orders
	members  int
	quorum   int
	shards   int
	window   int // payments that are not settled at a quorum
	timeout  time.Duration
	faulty   uint64 // members whose failures are part of the run
	liars    uint64 // of them: those that vote for anything
	doubling int    // of so many payers one pays twice; 0: none

	verifier *crypto.Verifier
	seats    []*seat // member*shards+shard
	shardOf  []int32 // by payer
	current  []int32 // by payer: slot of its payment, notFlying or dead
	slots    []payment
	free     []int32
	trailing []request // slots settled at a quorum and not by all, oldest first
	trailed  int       // of trailing: those before were freed
	next     int       // number of the payment to begin next
	active   int
	budget   int
	open     *schedule
	full     bool // what is due waits

	unverified []vote
	entries    []codec.VoteEntry
	frame      []byte
	kept       *archive
	replayed   []map[int]int // by seat: payer to the first number that was not replayed
	message    codec.Message

	now_     time.Duration // of this step
	heard    time.Duration
	checked  time.Duration
	why      error
	everyone *hdrhistogram.Histogram // from when a payment was due to its settlement by all
	tallies  []tally
	stuck    int // payments of payers who pay twice that got no quorum
	unsafe   []string

	datagrams *datagrams // over UDP; nil over TCP
	asides    *asides    // nil when nothing is asked beside the payments

	unsettled []map[int]bool // after the run, by member: payers whose number there is not known to be right
}

// vote is one to verify.
type vote struct {
	slot   int32
	number int // of its payment
	member int
	rival  bool
}

// tally is what one authority did.
type tally struct {
	Votes         int `json:"votes"` // verified
	BadVotes      int `json:"bad_votes"`
	TwoVotes      int `json:"two_votes"`     // for two orders with one number, both verified
	Confirmations int `json:"confirmations"` // of certificates that were sent when they were made, not replayed
	Refused       int `json:"refused"`
	Behind        int `json:"behind"`   // refused because it had missed requests that were not sent to it
	Replayed      int `json:"replayed"` // certificates that it had missed
	Breaks        int `json:"breaks"`   // of connections
	Left          int `json:"left_out"` // requests that were not sent: it was down, or owed too many replies
}

// slotsOfWindow is how many payments are looked after for each that the window has room for: those that a quorum has
// settled are kept until all have.
const slotsOfWindow = 16

func newPayers(o *Options, made *orders, keys *crypto.KeySet, bases []int, m *meter) (*payers, error) {
	d := &payers{
		meter: m, made: made, members: len(bases), quorum: quorum(len(bases)), shards: o.NumShards, window: o.MaxInFlight,
		timeout: o.RecvTimeout, verifier: crypto.NewVerifier(keys), shardOf: made.shards(o.NumShards),
		current: make([]int32, made.payers), tallies: make([]tally, len(bases)),
		everyone: hdrhistogram.New(1, latencyMaxUs, latencyDigits),
	}
	d.window = min(d.window, made.payers)
	d.entries, d.kept = make([]codec.VoteEntry, d.quorum), newArchive(made.total, d.quorum)
	for i := range d.current {
		d.current[i] = notFlying
	}
	d.slots = make([]payment, slotsOfWindow*d.window)
	for i := range d.slots {
		d.slots[i].number, d.slots[i].votes = -1, make([]crypto.Signature, d.members)
		d.free = append(d.free, int32(len(d.slots)-1-i))
	}
	if o.Protocol == committee.UDP {
		d.datagrams = newDatagrams(made, len(bases))
	}
	var err error
	if d.poller, err = newPoller(asideConns * d.members * d.shards); err != nil {
		return nil, err
	}
	for member, base := range bases {
		for shard := range d.shards {
			s := newSeat(member, shard, len(d.seats), o.Host, base)
			if d.datagrams != nil {
				s.kind, s.in = unix.SOCK_DGRAM, nil
			}
			d.seats = append(d.seats, s)
			d.replayed = append(d.replayed, make(map[int]int))
			if !s.connect(&d.poller, 0, o.SendTimeout) && d.faulty&bit(member) == 0 {
				return nil, errors.Join(fmt.Errorf("bench: authority %d does not accept at %s", member, s.address()), d.close())
			}
		}
	}
	if !d.newAsides(o, bases) {
		return nil, errors.Join(errors.New("bench: an authority does not take another connection to each shard"), d.close())
	}
	if o.open() {
		d.open = newSchedule(o.Rate, o.Arrival, o.Seed+uint64(made.from))
		m.opened()
	}
	return d, nil
}

func (d *payers) allow(n int) {
	if d.open != nil && d.budget == 0 && n != 0 {
		d.open.restart(d.now())
	}
	d.budget = n
	d.now_ = d.now()
	d.refill()
	d.flush()
}

func (d *payers) waiting() int { return max(d.budget, 0) + d.active + d.asides.waiting() }

func (d *payers) ended() error { return d.why }

func (d *payers) offered(now time.Duration) (due, sent int) {
	if d.open == nil {
		return 0, 0
	}
	return d.open.taken + d.open.overdue(now), d.open.taken
}

func (d *payers) step() error {
	events, err := d.await()
	if err != nil {
		return err
	}
	d.now_ = d.now()
	confirmed := d.meter.confirmed
	for _, e := range events {
		if at := int(e.Fd); at >= len(d.seats) {
			if s := d.asides.seats[at-len(d.seats)]; s.ready(e) {
				d.asides.receive(d, s)
			}
			continue
		}
		s := d.seats[e.Fd]
		if !s.ready(e) {
			continue
		}
		if d.datagrams != nil {
			d.datagrams.receive(d, s)
			continue
		}
		n, ok := s.receive(func(r request, message []byte) { d.reply(s, r, message) })
		d.meter.transferred(n)
		if !ok {
			d.drop(s)
		}
	}
	d.verify()
	d.refill()
	d.revive()
	if d.datagrams != nil {
		d.datagrams.resend(d)
	}
	d.flush()
	if d.asides != nil {
		d.asides.step(d)
	}
	if d.meter.measuring && d.meter.confirmed > confirmed {
		d.meter.notFull += d.now() - d.now_
	}
	if d.now_-d.checked > d.timeout/8 {
		d.checked = d.now_
		d.expire()
		for _, s := range d.seats {
			s.reminded = s.missed && s.fd >= 0 && s.owed() == 0
		}
		d.remind()
		if d.asides != nil {
			d.asides.expire(d)
		}
	}
	return nil
}

func (d *payers) await() ([]unix.EpollEvent, error) {
	if d.open == nil || d.budget == 0 || d.full {
		return d.wait(maxStep)
	}
	return d.waitFor(d.open.wait(d.now()))
}

// refill begins what window and budget allow, or what is due.
func (d *payers) refill() {
	for d.full = false; d.budget != 0; {
		if d.open != nil && d.open.next > d.now_ {
			return
		}
		if d.next == d.made.total {
			d.full = true
			if d.why == nil {
				d.why = errExhausted
			}
			return
		}
		payer := d.next % d.made.payers
		if d.active >= d.window || d.current[payer] >= 0 { // and so wait all after it
			d.full = true
			return
		}
		if d.current[payer] == dead {
			d.next++
			continue
		}
		due := d.now_
		if d.open != nil {
			due = d.open.take()
			d.meter.begun(d.now_ - due)
		}
		if d.budget > 0 {
			d.budget--
		}
		d.begin(payer, due)
	}
}

func (d *payers) begin(payer int, due time.Duration) {
	slot := d.takeSlot()
	p := &d.slots[slot]
	p.reset(d.next, d.made.order(d.next), d.now_, due)
	d.next++
	d.active++
	d.current[payer] = slot
	if d.doubling == 0 || payer%d.doubling != 0 {
		if d.asides != nil && d.asides.credits != nil {
			d.asides.credits.begin(d, p)
		}
		d.askAll(askOrder, slot, d.orderFrame(p.order))
		return
	}
	d.payTwice(slot)
}

// takeSlot finds a free one, or that which waits for the last authorities for longest.
func (d *payers) takeSlot() int32 {
	for len(d.free) == 0 {
		oldest := d.trailing[d.trailed]
		d.trailed++
		if d.slots[oldest.slot].number == oldest.number {
			d.release(oldest.slot)
		}
	}
	slot := d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	return slot
}

func (d *payers) release(slot int32) {
	d.slots[slot].number = -1
	d.slots[slot].rival = nil
	d.free = append(d.free, slot)
}

// expire gives up what no quorum answered in time.
func (d *payers) expire() {
	for i := range d.slots {
		p := &d.slots[i]
		if p.number < 0 || p.state == settledAtQuorum || d.now_-p.began < d.timeout {
			continue
		}
		if p.rival != nil {
			d.stuck++
		} else {
			d.meter.lost++
		}
		d.current[p.number%d.made.payers] = dead
		d.active--
		d.release(int32(i))
		if d.now_-d.heard >= d.timeout {
			d.why, d.budget = errSilent, 0
		}
	}
}

func (d *payers) close() error {
	for _, s := range d.seats {
		s.drop(0)
	}
	if d.asides != nil {
		for _, s := range d.asides.seats {
			s.drop(0)
		}
	}
	return d.poller.close()
}
