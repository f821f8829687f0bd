package sim

import (
	"fmt"
	"math/big"

	"fastpay/codec"
	"fastpay/node/client"
)

// The phases of a world. Bounds are in virtual time: what has not ended by then never will.
const (
	faultsMax     = 120_000_000
	healingMax    = 60_000_000
	settlingMax   = 60_000_000
	maxSteps      = 20_000_000
	extraPayments = 1 // of each payer, once the network is whole
)

// makeClients makes payers, colluders and whoever else asks.
func (w *World) makeClients() {
	const rich = 1 << 40
	for i := range w.plan.Payers {
		funds := int64(1<<20) + int64(w.rng.Uint64N(rich))
		if w.rng.IntN(4) == 0 {
			funds = int64(w.rng.IntN(100)) // has to be paid first
		}
		p := newPayer(w, int32(i), keyOf(firstOwner+i), funds)
		w.payers = append(w.payers, p)
		w.clients = append(w.clients, p)
	}
	for i := range w.plan.Colluders {
		c := newColluder(w, int32(len(w.clients)), keyOf(firstOwner+60+i), 1000+int64(w.rng.IntN(100_000)))
		w.colluders = append(w.colluders, c)
		w.clients = append(w.clients, c)
	}
	w.clients = append(w.clients, &forger{w, int32(len(w.clients))})
	w.clients = append(w.clients, &settler{w: w, index: int32(len(w.clients))})
	w.unfinished = w.plan.Payments
}

func (w *World) forger() *forger   { return w.clients[len(w.clients)-2].(*forger) }
func (w *World) settler() *settler { return w.clients[len(w.clients)-1].(*settler) }

// schedule begins everything.
func (w *World) schedule() {
	if w.plan.MintEvery > 0 {
		to := keyOf(firstOwner + 99).Public()
		w.deposit(&to, treasury)
		w.push(event{kind: eventMint}, w.draw(w.plan.MintEvery))
	}
	for _, p := range w.payers {
		p.sleep(w.draw(1000))
	}
	for _, c := range w.colluders {
		w.push(event{kind: eventWake, to: c.index}, w.draw(5000))
	}
	if w.plan.ForgeEvery > 0 {
		w.push(event{kind: eventWake, to: w.forger().index}, w.draw(w.plan.ForgeEvery))
	}
	if w.plan.PartitionEvery > 0 {
		w.push(event{kind: eventPartition}, w.draw(w.plan.PartitionEvery))
	}
	if w.plan.CrashEvery > 0 {
		w.push(event{kind: eventCrash, to: int32(w.rng.IntN(len(w.processes)))}, w.draw(w.plan.CrashEvery))
	}
}

// happenToWorld is for what happens to nobody in particular.
func (w *World) happenToWorld(e *event) {
	switch e.kind {
	case eventPartition:
		w.partition()
	case eventHeal:
		w.unite()
	case eventMint:
		w.mint()
	}
}

// runFaults goes on until all payments are made, or time is up.
func (w *World) runFaults() {
	for w.unfinished > 0 && w.now < faultsMax && w.steps < maxSteps && w.step() {
	}
}

// runHealing makes the network whole and starts every process, and demands that every correct payer ends what he has
// begun, and makes a payment more: L1, L4.
func (w *World) runHealing() {
	w.healed, w.split = true, false
	for _, p := range w.processes {
		p.restart()
	}
	for _, p := range w.payers {
		p.extra = extraPayments
		p.finished = false
		p.sleep(0)
	}
	if w.plan.Forget { // who lags may need certificates that only their owners have
		w.settleAll()
	}
	limit := w.now + healingMax
	for !w.allPaid() && w.now < limit && w.step() {
	}
	if w.violation != nil || w.allPaid() {
		return
	}
	for _, p := range w.payers {
		if !p.wallet.pending.IsZero() {
			w.fail(propertyL1, fmt.Sprintf("payer %d can't finish in %d s: %s", p.index, healingMax/1_000_000,
				describeOrder(p.wallet.pending)))
			return
		}
	}
	w.fail(propertyL1, "a payer does nothing")
}

// allPaid reports whether every payer has made his payments. One without money has none to make.
func (w *World) allPaid() bool {
	for _, p := range w.payers {
		if !p.wallet.pending.IsZero() || p.stage != stageIdle && p.stage != stageReceive || p.extra > 0 && p.wallet.balance > 0 {
			return false
		}
	}
	return true
}

// A settler brings every authority up to date with every certificate that there is.
type settler struct {
	w       *World
	index   int32
	errands []*errand
	round   uint64 // serials of errands are above it, times maxAccounts
}

const maxAccounts = 1 << 16

func (s *settler) wake(*event) {}

func (s *settler) reply(e *event) {
	if i, ok := s.find(e.ref >> 32); ok {
		s.errands[i].reply(int(uint32(e.ref)), e.data)
	}
}

func (s *settler) timer(e *event) {
	if i, ok := s.find(e.ref); ok && !s.errands[i].driver.Idle() {
		s.errands[i].tick()
	}
}

func (s *settler) find(serial uint64) (i int, ok bool) {
	i = int(serial % maxAccounts)
	return i, serial/maxAccounts == s.round && i < len(s.errands)
}

// begin settles an account's last certificate, and with it all before.
func (s *settler) begin(a *fact) {
	known := func(sender *codec.Address, number uint64) (codec.Certificate, bool) {
		id, ok := s.w.facts.ids[*sender]
		if !ok || number >= uint64(len(s.w.facts.accounts[id].orders)) {
			return codec.Certificate{}, false
		}
		c := s.w.facts.accounts[id].orders[number]
		return c, !c.IsZero()
	}
	d := client.NewSettle(s.w.committee, a.orders[len(a.orders)-1], known)
	s.errands = append(s.errands, nil)
	s.errands[len(s.errands)-1] = s.w.begin(s.index, s.round*maxAccounts+uint64(len(s.errands)-1), d)
}

// runSettlement demands that every certificate can be settled by somebody who has it, and that all correct authorities
// then have everything: L2, L3.
func (w *World) runSettlement() {
	if w.violation != nil {
		return
	}
	for _, p := range w.payers {
		p.extra = 0 // also who has only now been paid
	}
	w.settleAll()
	if w.violation != nil {
		return
	}
	s := w.settler()
	for i, e := range s.errands {
		if !e.driver.Done() || e.driver.Err() != nil {
			w.fail(propertyL2, fmt.Sprintf("certificates of account %d can't be settled: %v", i, e.driver.Err()))
			return
		}
	}
}

// settleAll settles every certificate that there is everywhere, as far as that can be had.
func (w *World) settleAll() {
	s := w.settler()
	s.errands = s.errands[:0]
	s.round++
	for i := range w.facts.accounts {
		if a := &w.facts.accounts[i]; len(a.orders) > 0 {
			s.begin(a)
		}
	}
	limit := w.now + settlingMax
	for told := uint64(0); w.violation == nil && w.now < limit && !w.settled(s); {
		if w.now >= told || len(w.queue.heap) == 0 {
			w.tellAll()
			told = w.now + w.retryAfter()
		}
		if !w.step() {
			break
		}
	}
}

// settled reports whether nothing is under way any more that could change a correct authority.
func (w *World) settled(s *settler) bool {
	if w.steps%64 != 0 { // it takes a while
		return false
	}
	for _, e := range s.errands {
		if !e.driver.Idle() {
			return false
		}
	}
	for _, p := range w.processes {
		if p.correct && (p.holdsCredits() || p.funded < uint64(len(w.contract.Log())) || len(p.parked) > 0 || p.batching) {
			return false
		}
	}
	for i := range w.queue.heap {
		if k := w.queue.heap[i].kind; k == eventCredit || k == eventWire {
			return false
		}
	}
	return true
}

// checkEnd compares all correct authorities with what the certificates say: S4, S5, S10, L3.
func (w *World) checkEnd() {
	if w.violation != nil {
		return
	}
	want := w.finalBalances()
	for m := len(w.plan.Liars); m < len(w.members) && w.violation == nil; m++ {
		if !w.members[m].retired {
			w.checkMember(m, want)
		}
	}
	if paid := w.contract.Total(); w.violation == nil && w.plan.MintEvery == 0 && paid != 0 {
		w.fail(propertyS4, fmt.Sprintf("the contract holds %d", paid))
	}
}

// finalBalances is what all accounts must have once every certificate and every transaction is everywhere.
func (w *World) finalBalances() []int64 {
	f := w.facts
	want := make([]int64, len(f.accounts))
	for i := range f.accounts {
		want[i] += f.accounts[i].initial + f.accounts[i].funded
		for _, c := range f.accounts[i].orders {
			amount := int64(c.Order().Amount())
			want[i] -= amount
			if to, ok := paid(c); ok {
				want[f.id(to)] += amount
			}
		}
	}
	return want
}

func (w *World) checkMember(m int, want []int64) {
	sum := new(big.Int)
	shards := w.members[m].copies[0]
	for s, p := range shards {
		if p.shards[s] == nil {
			w.fail(propertyL3, fmt.Sprintf("authority %d runs no shard %d", m, s))
			return
		}
		sum.Add(sum, p.shards[s].TotalBalance())
	}
	exported := int64(0)
	for i := range w.facts.accounts {
		a := &w.facts.accounts[i]
		for _, c := range a.orders {
			if _, ok := paid(c); !ok {
				exported += int64(c.Order().Amount())
			}
		}
		p := shards[shardOf(&a.address, w.plan.Shards)]
		if next := p.books.at(int32(i)).next; next != uint64(len(a.orders)) {
			w.fail(propertyL3, fmt.Sprintf("authority %d has settled %d of %d payments of %x", m, next, len(a.orders),
				a.address[:3]))
			return
		}
		have, _ := p.shards[shardOf(&a.address, w.plan.Shards)].Balance(&a.address)
		switch {
		case have.Less(codec.Balance{}):
			w.fail(propertyS5, fmt.Sprintf("authority %d has a balance of %v for %x in the end", m, have, a.address[:3]))
		case have != balanceOf(want[i]):
			w.fail(propertyS10, fmt.Sprintf("authority %d has a balance of %v for %x and not %d", m, have, a.address[:3], want[i]))
		}
	}
	if sum.Cmp(big.NewInt(w.facts.minted-exported)) != 0 {
		w.fail(propertyS4, fmt.Sprintf("authority %d has %v in all, of %d", m, sum, w.facts.minted-exported))
	}
}
