package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"fastpay/codec"
	"fastpay/crypto"
)

// payers drives a whole committee over TCP, as all its payers at once: the order of a payment goes to every authority, the
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
	TwoVotes      int `json:"two_votes"` // for two orders with one number, both verified
	Confirmations int `json:"confirmations"`
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
	var err error
	if d.poller, err = newPoller(d.members * d.shards); err != nil {
		return nil, err
	}
	for member, base := range bases {
		for shard := range d.shards {
			s := newSeat(member, shard, len(d.seats), o.Host, base)
			d.seats = append(d.seats, s)
			d.replayed = append(d.replayed, make(map[int]int))
			if !s.connect(&d.poller, 0, o.SendTimeout) && d.faulty&bit(member) == 0 {
				return nil, errors.Join(fmt.Errorf("bench: authority %d does not accept at %s", member, s.address()), d.close())
			}
		}
	}
	if o.open() {
		d.open = newSchedule(o.Rate, o.Arrival, o.Seed)
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

func (d *payers) waiting() int { return max(d.budget, 0) + d.active }

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
		s := d.seats[e.Fd]
		if s.fd < 0 || e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
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
	d.flush()
	if d.meter.measuring && d.meter.confirmed > confirmed {
		d.meter.notFull += d.now() - d.now_
	}
	if d.now_-d.checked > d.timeout/8 {
		d.checked = d.now_
		d.expire()
	}
	return nil
}

func (d *payers) await() ([]unix.EpollEvent, error) {
	if d.open == nil || d.budget == 0 || d.full {
		return d.wait(maxStep)
	}
	return d.waitFor(d.open.wait(d.now()))
}

func (d *payers) drop(s *seat) {
	if s.fd >= 0 {
		d.tallies[s.member].Breaks++
	}
	s.drop(d.now_)
	clear(d.replayed[s.index])
}

// revive connects again what broke off, and asks again what is under way there.
func (d *payers) revive() {
	for _, s := range d.seats {
		if s.fd >= 0 || d.now_ < s.retryAt || !s.connect(&d.poller, d.now_, d.timeout) {
			continue
		}
		for i := range d.slots {
			p := &d.slots[i]
			if p.number < 0 || int(d.shardOf[p.number%d.made.payers]) != s.shard {
				continue
			}
			switch {
			case p.state == ordering && p.got&bit(s.member) == 0:
				d.ask(s, request{askOrder, int32(i), p.number}, d.orderFrame(p.order))
			case p.state == certifying && p.confirmed&bit(s.member) == 0:
				d.ask(s, request{askCertificate, int32(i), p.number}, d.certificateFrame(p.number))
			}
		}
	}
}

func (d *payers) flush() {
	for _, s := range d.seats {
		if s.fd < 0 || s.stuck && s.written == 0 && len(s.out) == 0 {
			continue
		}
		if s.written == len(s.out) {
			continue
		}
		n, ok := s.flush(&d.poller)
		d.meter.transferred(n)
		if !ok {
			d.drop(s)
		}
	}
}

// ask sends a frame to a seat, unless that is down or owes too much; then its authority misses it.
func (d *payers) ask(s *seat, r request, frame []byte) {
	if s.fd < 0 || s.owed() >= maxAsked && r.kind != askReplay {
		d.tallies[s.member].Left++
		s.missed = true
		return
	}
	s.out = append(s.out, frame...)
	s.ask(r)
}

// askAll sends a frame about payment p to all authorities.
func (d *payers) askAll(kind requestKind, slot int32, frame []byte) {
	p := &d.slots[slot]
	shard := int(d.shardOf[p.number%d.made.payers])
	for member := range d.members {
		d.ask(d.seats[member*d.shards+shard], request{kind, slot, p.number}, frame)
	}
}

func (d *payers) orderFrame(o codec.Order) []byte {
	d.frame = codec.AppendOrder(codec.BeginFrame(d.frame[:0]), o)
	codec.EndFrame(d.frame, 0)
	return d.frame
}

func (d *payers) certificateFrame(k int) []byte {
	d.frame = d.kept.appendFrame(d.frame[:0], d.made.order(k), k, d.made.workload, d.entries)
	return d.frame
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

// verify checks the votes that came, and makes certificates. A wrong vote lets others have its place, and these are
// checked too.
func (d *payers) verify() {
	for len(d.unverified) > 0 {
		d.verifier.Reset()
		places := make([]int, len(d.unverified))
		for i, v := range d.unverified {
			p := &d.slots[v.slot]
			if p.number != v.number {
				places[i] = -1 // settled meanwhile, without it
			} else if v.rival {
				places[i] = d.verifier.AddVote(v.member, p.rival.signed, &p.rival.votes[v.member])
			} else {
				places[i] = d.verifier.AddVote(v.member, p.signed, &p.votes[v.member])
			}
		}
		d.verifier.Verify()
		checked := d.unverified
		d.unverified = nil
		for i, v := range checked {
			if places[i] >= 0 {
				d.verdict(v, d.verifier.Valid(places[i]))
			}
		}
		for _, v := range checked {
			d.certify(v.slot)
		}
	}
}

func (d *payers) verdict(v vote, good bool) {
	p, t := &d.slots[v.slot], &d.tallies[v.member]
	p.waiting &^= bit(v.member)
	switch {
	case !good:
		t.BadVotes++
		p.bad |= bit(v.member)
		if d.faulty&bit(v.member) == 0 {
			d.meter.refuseFor("order: a vote that does not verify")
		}
		return
	case v.rival:
		p.rival.verified |= bit(v.member)
	default:
		p.verified |= bit(v.member)
		t.Votes++
	}
	d.meter.answers++
	if p.rival != nil && p.verified&p.rival.verified&bit(v.member) != 0 {
		t.TwoVotes++
		d.twoVotes(p, v.member)
	}
}

// consider has votes verified, as many as a certificate needs.
func (d *payers) consider(slot int32) {
	p := &d.slots[slot]
	if p.state != ordering && p.rival == nil {
		return
	}
	for member := range d.members {
		if p.rival == nil && count(p.verified|p.waiting) >= d.quorum {
			return
		}
		if b := bit(member); p.got&b != 0 && (p.verified|p.waiting|p.bad)&b == 0 {
			p.waiting |= b
			d.unverified = append(d.unverified, vote{slot, p.number, member, false})
		}
	}
}

// certify makes the certificate once there are enough votes, and sends it.
func (d *payers) certify(slot int32) {
	p := &d.slots[slot]
	d.checkRival(p)
	if p.number < 0 || p.state != ordering {
		return
	}
	if count(p.verified) < d.quorum {
		d.consider(slot)
		return
	}
	n := 0
	for member := 0; n < d.quorum; member++ {
		if p.verified&bit(member) != 0 {
			d.kept.put(p.number, n, member, &p.votes[member])
			n++
		}
	}
	p.state = certifying
	d.answered(p, 1, 0)
	d.askAll(askCertificate, slot, d.certificateFrame(p.number))
}

func (d *payers) answered(p *payment, orders, confirmations int) {
	d.meter.answered(d.now_, d.now_-p.due, orders, confirmations)
	if d.open != nil {
		d.meter.served(d.now_-p.began, orders, confirmations)
	}
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
	return d.poller.close()
}

// keysOf prepares the committee's keys, in the order of its members.
func keysOf(w *workload) (*crypto.KeySet, error) {
	names := make([]crypto.PublicKey, len(w.members))
	for i := range names {
		names[i] = w.members[i].Public()
	}
	return crypto.NewKeySet(names)
}

// reply takes an answer of a seat.
func (d *payers) reply(s *seat, r request, message []byte) {
	d.heard = d.now_
	if !d.message.Decode(message) {
		d.refused(s, r, message)
		return
	}
	switch r.kind {
	case askOrder, askRival:
		d.voteReply(s, r, message)
	case askCertificate:
		d.confirmReply(s, r, message)
	case askReplay:
		if !d.settles(r) {
			d.refused(s, r, message)
		}
	case askProbe:
		d.probeReply(s, r, message)
	}
}

func (d *payers) voteReply(s *seat, r request, message []byte) {
	p := &d.slots[r.slot]
	if p.number != r.number { // settled without it
		return
	}
	o := p.order
	if r.kind == askRival {
		o = p.rival.order
	}
	signature, ok := isVoteFor(&d.message, o, &d.made.names[s.member])
	switch {
	case !ok && p.rival != nil: // a payer who pays twice is refused one of the two
	case !ok:
		d.refused(s, r, message)
	case r.kind == askRival:
		p.rival.votes[s.member] = *signature
		d.unverified = append(d.unverified, vote{r.slot, r.number, s.member, true})
	default:
		p.votes[s.member] = *signature
		p.got |= bit(s.member)
		d.consider(r.slot)
	}
}

// settles reports whether the message says that the payment of r is settled.
func (d *payers) settles(r request) bool {
	info := d.message.InfoResponse()
	return d.message.Kind == codec.KindInfoResponse && info.Account == d.made.accounts[d.made.account(r.number)] &&
		info.NextSequenceNumber > uint64(r.number/d.made.payers)
}

func (d *payers) confirmReply(s *seat, r request, message []byte) {
	if !d.settles(r) {
		if d.message.Kind == codec.KindError && d.message.ErrorCode() == codec.MissingEalierConfirmations {
			d.replay(s, r.number%d.made.payers, int(d.message.Error().Sequence), r.number/d.made.payers+1)
			return
		}
		d.refused(s, r, message)
		return
	}
	d.tallies[s.member].Confirmations++
	p := &d.slots[r.slot]
	if p.number != r.number {
		return
	}
	p.confirmed |= bit(s.member)
	if p.state == certifying && count(p.confirmed) >= d.quorum {
		p.state = settledAtQuorum
		d.answered(p, 0, 1)
		d.current[r.number%d.made.payers] = notFlying
		d.active--
		d.trail(r)
	}
	if p.state == settledAtQuorum && count(p.confirmed) == d.members {
		if d.meter.measuring {
			_ = d.everyone.RecordValue(min(max(1, (d.now_-p.due).Microseconds()), latencyMaxUs))
		}
		d.release(r.slot)
	}
}

func (d *payers) trail(r request) {
	if d.trailed >= sparseMarks && 2*d.trailed >= len(d.trailing) {
		d.trailing, d.trailed = d.trailing[:copy(d.trailing, d.trailing[d.trailed:])], 0
	}
	d.trailing = append(d.trailing, r)
}

// replay sends an authority the certificates of a payer that it has missed: numbers from..to-1, less those that are on
// their way.
func (d *payers) replay(s *seat, payer, from, to int) {
	from = max(from, d.replayed[s.index][payer])
	for sequence := from; sequence < to; sequence++ {
		k := sequence*d.made.payers + payer
		if k >= d.made.total || !d.kept.made[k] {
			return
		}
		d.ask(s, request{askReplay, -1, k}, d.certificateFrame(k))
		d.tallies[s.member].Replayed++
		d.replayed[s.index][payer] = sequence + 1
	}
}

var requestNames = [...]string{"order", "second order", "certificate", "replayed certificate", "info request"}

// refused counts an answer that is not the expected one. Of an authority whose failures are part of the run it is no
// fault of the run, nor is what an authority does not know that was too slow to be told.
func (d *payers) refused(s *seat, r request, message []byte) {
	if s.missed && d.message.Kind == codec.KindError && (d.message.ErrorCode() == codec.UnexpectedSequenceNumber ||
		d.message.ErrorCode() == codec.PreviousTransferMustBeConfirmedFirst) {
		d.tallies[s.member].Behind++
		return
	}
	d.tallies[s.member].Refused++
	if d.faulty&bit(s.member) == 0 {
		d.meter.refuse(requestNames[r.kind], message)
	}
}
