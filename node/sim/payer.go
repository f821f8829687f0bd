package sim

import (
	"bytes"
	"fmt"
	"slices"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/client"
)

// A payer is a correct owner of one account. It follows the client's rules: one payment at a time, the order in the
// wallet before it leaves, the payment counted once it is settled. It may crash at any point between, and goes on from
// the wallet.
type payer struct {
	w       *World
	index   int32
	name    string
	account int32
	key     *crypto.PrivateKey
	address codec.Address

	wallet wallet // in memory
	saved  wallet // on the disk
	lookup client.Lookup

	places map[uint64]int // where in the list of the wallet a received payment is, see placeKey

	serial   uint64
	errand   *errand
	stage    stage
	others   []*errand // settled at a quorum, and still going on
	waiting  bool      // an eventWake is under way
	extra    int       // payments left to make once the network is whole
	finished bool
	called   uint64 // when the payment that is under way was begun
	failures int    // errands in a row, of this payment
	poor     uint   // times in a row that he has waited for money
}

// wallet is what a client knows of its account. Lists are only ever appended to, so a copy is a snapshot.
type wallet struct {
	next     uint64
	balance  int64
	sent     []codec.Certificate
	received []codec.Certificate
	pending  codec.Order
	proof    codec.Certificate // of the pending order, once there is one; saved before it is sent
}

type stage int

const (
	stageIdle stage = iota
	stageSurvey
	stageCertify
	stageSettle
	stageReceive
)

// receiveEvery is how many payments go by before an owner with money looks whether he got more. All authorities show him
// all that he ever got, so it costs as much as a hundred payments.
const receiveEvery = 256

// Who has nothing mostly waits for up to receivePause, in µs, that he is handed something, before he looks what authorities
// have for him, and twice as long before he looks again, and so on, poorMax times at most.
const (
	receivePause = 5000
	poorMax      = 5
)

// maxOthers bounds the settlements that go on in the background; the oldest is given up.
const maxOthers = 4

func newPayer(w *World, index int32, key *crypto.PrivateKey, funds int64) *payer {
	p := &payer{w: w, index: index, name: fmt.Sprintf("owner %d", index), key: key, address: key.Public(),
		places: make(map[uint64]int)}
	p.account = w.facts.id(&p.address)
	w.facts.endow(&p.address, funds)
	p.wallet.balance = funds
	p.saved = p.wallet
	p.lookup = func(sender *codec.Address, number uint64) (codec.Certificate, bool) {
		n := uint64(len(p.wallet.sent))
		if *sender == p.address && number < n && (number+1 == n || !w.plan.Bare) {
			return p.wallet.sent[number], true
		}
		return codec.Certificate{}, false
	}
	return p
}

// save writes the wallet to the disk.
func (p *payer) save() { p.saved = p.wallet }

// crashes stops the payer by chance: whoever calls must return at once if it did.
func (p *payer) crashes() bool {
	if !p.w.chance(p.w.plan.WalletCrashes) {
		return false
	}
	p.w.count.WalletCrashes++
	if !p.saved.pending.IsZero() {
		p.w.count.WalletsPending++
	}
	p.wallet, p.errand, p.stage, p.others = p.saved, nil, stageIdle, nil
	p.sleep(p.w.draw(20_000))
	return true
}

func (p *payer) sleep(delay uint64) {
	if !p.waiting {
		p.waiting = true
		p.w.push(event{kind: eventWake, to: p.index}, 1+delay)
	}
}

// wake does the next thing: what is pending, else a new payment, else nothing.
func (p *payer) wake(*event) {
	p.waiting = false
	if p.stage != stageIdle {
		return
	}
	switch {
	case !p.wallet.proof.IsZero():
		p.settle()
	case !p.wallet.pending.IsZero():
		p.certify(nil)
	case !p.mayPay():
		p.finished = true
	case p.wallet.balance <= 0 && p.poor == 0 && p.w.rng.IntN(4) > 0:
		p.await()
	case p.wallet.balance <= 0 || p.w.rng.IntN(receiveEvery) == 0:
		p.receive()
	case p.w.rng.IntN(4) == 0:
		p.survey()
	default:
		p.pay(nil)
	}
}

// mayPay takes one of the payments that are to be made.
func (p *payer) mayPay() bool {
	if p.w.healed {
		return p.extra > 0
	}
	return p.w.unfinished > 0
}

func (p *payer) begin(s stage, d *client.Driver) {
	p.serial++
	p.stage = s
	p.errand = p.w.begin(p.index, p.serial, d)
	p.progress()
}

// await waits for money.
func (p *payer) await() {
	p.sleep(p.w.draw(receivePause << p.poor))
	p.poor = min(p.poor+1, poorMax)
}

func (p *payer) survey() { p.begin(stageSurvey, client.NewSurvey(p.w.committee, &p.address)) }

func (p *payer) receive() {
	p.begin(stageReceive, client.NewReceive(p.w.committee, &p.address, p.counted))
}

// pay signs the next order, saves it, and has it certified.
func (p *payer) pay(survey *client.Driver) {
	amount := p.drawAmount()
	p.called = p.w.now
	t := codec.Transfer{Sender: p.address, Recipient: p.drawRecipient(), Amount: amount, SequenceNumber: p.wallet.next}
	if p.w.rng.IntN(8) == 0 {
		t.UserData.Present = true
		t.UserData.Bytes[0] = byte(amount)
	}
	o := p.w.signOrder(p.key, t)
	if p.crashes() { // signed, but nobody will see it
		return
	}
	p.w.facts.sign(o)
	p.wallet.pending = o
	if !sabotaged("sim: an order is sent before the wallet is saved") {
		p.save()
	}
	if p.crashes() {
		return
	}
	p.certify(survey)
}

func (p *payer) drawAmount() uint64 {
	balance := uint64(p.wallet.balance)
	switch p.w.rng.IntN(8) {
	case 0:
		return balance/2 + 1
	case 1:
		return 1
	case 2:
		return balance
	}
	return 1 + p.w.rng.Uint64N(max(balance/16, 1))
}

func (p *payer) drawRecipient() codec.Recipient {
	w := p.w
	switch n := w.rng.IntN(1000); {
	case n < w.plan.RedeemShare:
		return codec.Recipient{Kind: codec.Primary, Address: p.address}
	case n < w.plan.RedeemShare+w.plan.SelfPays:
		return codec.Recipient{Kind: codec.FastPay, Address: p.address}
	case n >= 990: // somebody new
		return codec.Recipient{Kind: codec.FastPay, Address: keyOf(firstOwner + 100 + w.rng.IntN(20)).Public()}
	}
	return codec.Recipient{Kind: codec.FastPay, Address: w.payers[w.rng.IntN(len(w.payers))].address}
}

func (p *payer) certify(survey *client.Driver) {
	p.begin(stageCertify, client.NewCertify(p.w.committee, p.wallet.pending, p.funding(), p.lookup, survey))
}

// fundingShown is how many received payments an authority that knows of too little is shown, unless that was not
// enough.
const fundingShown = 16

// funding is the last payments that were received, or all, by payer and number.
func (p *payer) funding() []codec.Certificate {
	r := p.wallet.received
	if p.failures == 0 {
		r = r[max(0, len(r)-fundingShown):]
	}
	last := slices.Clone(r)
	slices.SortFunc(last, func(a, b codec.Certificate) int {
		if c := bytes.Compare(a.Order().Sender()[:], b.Order().Sender()[:]); c != 0 {
			return c
		}
		if a.Order().SequenceNumber() < b.Order().SequenceNumber() {
			return -1
		}
		return 1
	})
	return last
}

// reply is an answer to one of the errands.
func (p *payer) reply(e *event) {
	serial, id := e.ref>>32, int(uint32(e.ref))
	if p.errand != nil && p.errand.serial == serial {
		p.errand.reply(id, e.data)
		p.progress()
		return
	}
	for i, other := range p.others {
		if other.serial == serial {
			if other.reply(id, e.data); other.driver.Idle() {
				p.others = slices.Delete(p.others, i, i+1)
			}
			return
		}
	}
}

func (p *payer) timer(e *event) {
	if p.errand != nil && p.errand.serial == e.ref {
		p.errand.tick()
		p.progress()
		return
	}
	for _, other := range p.others {
		if other.serial == e.ref && !other.driver.Idle() {
			other.tick()
		}
	}
}

// progress goes on when the errand has an outcome.
func (p *payer) progress() {
	d := p.errand.driver
	if !d.Done() || p.errand.told {
		return
	}
	p.errand.told = true
	if p.crashes() {
		return
	}
	errand, stage := p.errand, p.stage
	p.errand, p.stage = nil, stageIdle
	switch {
	case stage == stageReceive:
		for _, c := range d.Received() {
			p.count(c)
		}
		p.save()
		if p.wallet.balance <= 0 {
			p.await()
			return
		}
		p.poor = 0
		p.sleep(p.w.draw(2000))
	case d.Err() != nil:
		p.w.count.Failed++
		p.failures++
		if stage == stageSettle {
			p.save()
		}
		if sabotaged("sim: a client signs another order after a time-out") {
			p.wallet.pending, p.wallet.proof = codec.Order{}, codec.Certificate{}
		}
		p.sleep(p.w.retryAfter() + p.w.draw(10_000))
	case stage == stageSurvey:
		p.pay(d)
	case stage == stageCertify:
		p.certified(d.Certificate())
	case stage == stageSettle:
		p.settled(errand)
	}
}

// certified goes on with a certificate, which must be good and the own one.
func (p *payer) certified(c codec.Certificate) {
	p.w.facts.certificate(c, p.name)
	if p.w.violation == nil && transferDigest(c.Order()) != transferDigest(p.wallet.pending) {
		p.w.fail(propertyS9, fmt.Sprintf("payer %d got a certificate for another order: %s", p.index, describeOrder(c.Order())))
	}
	if p.w.violation != nil {
		return
	}
	p.wallet.proof = c
	if !sabotaged("sim: a certificate is sent before the wallet is saved") {
		p.save() // once it is settled, nobody may have it any more
	}
	p.settle()
}

func (p *payer) settle() {
	p.begin(stageSettle, client.NewSettle(p.w.committee, p.wallet.proof, p.lookup))
}

// settled counts the payment.
func (p *payer) settled(e *errand) {
	p.w.history.paidBy(p)
	c := p.wallet.proof
	o := c.Order()
	p.wallet.sent = append(p.wallet.sent, c)
	p.wallet.next++
	p.failures = 0
	p.wallet.balance -= int64(o.Amount())
	p.wallet.pending, p.wallet.proof = codec.Order{}, codec.Certificate{}
	p.save()
	p.w.count.Payments++
	if p.w.healed {
		p.extra--
	} else {
		p.w.unfinished--
	}
	if !e.driver.Idle() {
		if len(p.others) == maxOthers {
			p.others = slices.Delete(p.others, 0, 1)
		}
		p.others = append(p.others, e)
	}
	p.w.paidOut(p, c)
	p.sleep(p.w.draw(500))
}
