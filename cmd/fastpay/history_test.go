package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/client"
	"fastpay/node/history"
)

// How much is tried: historiesVariable says how many committees, one after the other.
const (
	historiesVariable = "FASTPAY_HISTORIES"
	historyClients    = 4
	historyAccounts   = 3  // of each client
	historyPayments   = 60 // of each client
	historyRich       = 1_000_000
)

// TestHistoriesOfProcesses has clients pay over TCP at a committee of real processes, which are killed at random moments, one
// at a time, and started again. What the clients have seen, and what every authority says in the end, must be
// linearizable, account by account, by the model that simulated worlds are held to.
func TestHistoriesOfProcesses(t *testing.T) {
	histories := 1
	if text := os.Getenv(historiesVariable); text != "" {
		var err error
		if histories, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	accounts, payments, operations, kills := 0, 0, 0, 0
	for range histories {
		seed := rand.Uint64()
		h := recordHistory(t, seed)
		all := h.operations()
		if got := history.Check(all, time.Minute); got != history.Linearizable {
			t.Errorf("seed %d: the history of %d operations is %s", seed, len(all), got)
		}
		h.wantSensitive(all)
		accounts, payments = accounts+len(h.initial), payments+len(h.payments)
		operations, kills = operations+len(all), kills+h.kills
	}
	t.Logf("%d accounts' histories of %d committees: %d payments, %d operations, %d kills", accounts, histories, payments, operations, kills)
}

// realHistory is what happened at a committee of processes.
type realHistory struct {
	t        *testing.T
	w        *committeeWorld
	initial  []int64
	payments []history.Payment
	answers  []history.Operation
	kills    int
}

func (h *realHistory) operations() []history.Operation {
	return append(history.Of(h.payments, h.initial), h.answers...)
}

// wantSensitive: the same history with a payment left out, one made twice, or another answer can't be.
func (h *realHistory) wantSensitive(all []history.Operation) {
	h.t.Helper()
	paid := slices.IndexFunc(all, func(op history.Operation) bool { return !op.Read && op.From == op.Account && op.To != op.Account })
	if paid < 0 {
		h.t.Fatal("nobody has paid")
	}
	other := slices.Clone(all)
	other[len(other)-1].Says.Balance++
	for what, damaged := range map[string][]history.Operation{
		"without a payment":    slices.Delete(slices.Clone(all), paid, paid+1),
		"with a payment twice": append(slices.Clone(all), all[paid]),
		"with another answer":  other,
	} {
		if got := history.Check(damaged, time.Minute); got != history.Impossible {
			h.t.Errorf("%s it is %s", what, got)
		}
	}
}

// recordHistory lets clients pay until each has made its payments, and then brings all authorities up to date.
func recordHistory(t *testing.T, seed uint64) *realHistory {
	t.Helper()
	h := &realHistory{t: t, w: newCommitteeWorld(t)}
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range historyClients * historyAccounts {
		h.initial = append(h.initial, int64(historyRich))
		if i%historyAccounts == 0 {
			h.initial[i] = int64(rng.IntN(100)) // it has to be paid first
		}
	}
	h.w.found(h.initial)
	defer h.w.end()
	began := time.Now()
	var payers []*historyPayer
	var paying sync.WaitGroup
	for i := range historyClients {
		p := &historyPayer{t: t, w: h.w, rng: rand.New(rand.NewPCG(seed, uint64(1+i))), began: began, first: i * historyAccounts,
			path: filepath.Join(h.w.dir, "wallet"+strconv.Itoa(i))}
		payers = append(payers, p)
		paying.Go(p.run)
	}
	over := make(chan struct{})
	var tormenting sync.WaitGroup
	tormenting.Go(func() { h.kills = h.w.torment(rng, over) })
	paying.Wait()
	close(over)
	tormenting.Wait()
	for _, p := range payers {
		p.settle()
		h.payments = append(h.payments, p.seen...)
	}
	if h.kills == 0 || len(h.payments) < historyClients*historyPayments {
		t.Errorf("seed %d: %d kills, %d payments", seed, h.kills, len(h.payments))
	}
	h.answers = h.w.upToDate(h.initial, payers)
	for _, p := range payers {
		p.close()
	}
	return h
}

// historyPayer is a client with some accounts, and what it has seen.
type historyPayer struct {
	t      *testing.T
	w      *committeeWorld
	rng    *rand.Rand
	began  time.Time
	first  int // account
	path   string
	wallet *client.Wallet
	client *client.Client
	seen   []history.Payment
}

func (p *historyPayer) now() uint64 { return uint64(time.Since(p.began)) }

// open opens the wallet, which it makes when there is none.
func (p *historyPayer) open() {
	var err error
	if p.wallet, err = client.OpenWallet(p.path); err != nil {
		p.t.Error(err)
		return
	}
	for i := p.first; i < p.first+historyAccounts; i++ {
		if name := p.w.accounts[i].Public(); p.wallet.Account(&name) == nil {
			if _, err := p.wallet.Add(p.w.accounts[i], codec.NewBalance(uint64(p.w.initial[i]))); err != nil {
				p.t.Error(err)
			}
		}
	}
	err = p.wallet.Save()
	if err == nil {
		p.client, err = client.New(client.Options{Committee: p.w.committee, Wallet: p.wallet, CatchUp: 100 * time.Millisecond})
	}
	if err != nil {
		p.t.Error(err)
	}
}

func (p *historyPayer) close() {
	p.client.Close()
	if err := p.wallet.Close(); err != nil {
		p.t.Error(err)
	}
}

func (p *historyPayer) run() {
	p.open()
	for made := 0; made < historyPayments && !p.t.Failed(); {
		switch p.rng.IntN(30) {
		case 0: // another process with the same wallet
			p.close()
			p.open()
		case 1, 2:
			p.receive(p.own())
		}
		if p.pay(p.own(), int32(p.rng.IntN(len(p.w.accounts)))) {
			made++
		}
	}
}

func (p *historyPayer) own() int32 { return int32(p.first + p.rng.IntN(historyAccounts)) }

func (p *historyPayer) account(i int32) *client.Account {
	name := p.w.accounts[i].Public()
	return p.wallet.Account(&name)
}

func (p *historyPayer) receive(i int32) {
	if _, err := p.client.Receive(p.t.Context(), p.w.accounts[i].Public()); err != nil && !isQuorum(err) {
		p.t.Errorf("account %d receives: %v", i, err)
	}
}

func isQuorum(err error) bool { return errors.As(err, new(*client.QuorumError)) }

// pay makes a payment, of all that there is now and then, and reports whether an order was signed.
func (p *historyPayer) pay(from, to int32) bool {
	a := p.account(from)
	funds := a.Spendable()
	if funds == 0 {
		p.receive(from)
		return false
	}
	amount := 1 + p.rng.Uint64N(min(funds, 1000))
	if p.rng.IntN(10) == 0 {
		amount = funds
	}
	called := p.now()
	certificate, err := p.client.Transfer(p.t.Context(), a.Address, codec.Recipient{Kind: codec.FastPay, Address: p.w.accounts[to].Public()},
		amount, codec.UserData{})
	order := a.Pending // where it is not finished
	if err == nil {
		order = certificate.Order()
		p.ended(from, order.SequenceNumber())
	}
	if order.IsZero() || p.known(from, order.SequenceNumber()) {
		if _, poor := errors.AsType[*client.InsufficientFundsError](err); !poor && !isQuorum(err) { // an earlier one took the funds
			p.t.Errorf("account %d pays: %v", from, err)
		}
		return false
	}
	made := history.Payment{From: from, To: to, Number: order.SequenceNumber(), Amount: int64(amount), Called: called, Done: p.now()}
	if err != nil {
		made.Done = history.Forever
	}
	p.seen = append(p.seen, made)
	return true
}

func (p *historyPayer) known(from int32, number uint64) bool {
	return slices.ContainsFunc(p.seen, func(s history.Payment) bool { return s.From == from && s.Number == number })
}

// ended: what the account began before a number is over.
func (p *historyPayer) ended(from int32, number uint64) {
	for i := range p.seen {
		if s := &p.seen[i]; s.From == from && s.Number < number {
			s.Done = min(s.Done, p.now())
		}
	}
}

// settle finishes what is pending, now that nobody is killed any more.
func (p *historyPayer) settle() {
	for i := range historyAccounts {
		a := p.account(int32(p.first + i))
		ended := p.w.patiently(func() bool {
			_, err := p.client.QueryBalance(p.t.Context(), a.Address)
			return err == nil && a.Pending.IsZero()
		})
		if !ended {
			p.t.Errorf("account %d can't end its payment", p.first+i)
		}
	}
}

// torment kills one authority after the other, and starts each again, until over is closed.
func (w *committeeWorld) torment(rng *rand.Rand, over <-chan struct{}) (kills int) {
	pause := func(most time.Duration) bool {
		select {
		case <-over:
			return false
		case <-time.After(time.Duration(rng.Int64N(int64(most)))):
			return true
		}
	}
	for pause(400 * time.Millisecond) {
		member := rng.IntN(worldMembers)
		w.kill(member)
		kills++
		pause(200 * time.Millisecond)
		w.start(member)
	}
	return kills
}

// upToDate brings every certificate to every authority, and then asks all of them about all accounts.
func (w *committeeWorld) upToDate(initial []int64, payers []*historyPayer) (answers []history.Operation) {
	network := client.NewNetwork(w.committee, 0, 0, 0)
	defer network.Close()
	minted := int64(0)
	for _, n := range initial {
		minted += n
	}
	w.patiently(func() bool {
		for i := range initial {
			if sent := payers[i/historyAccounts].account(int32(i)).Sent; len(sent) > 0 {
				w.settle(network, sent)
			}
		}
		answers = answers[:0]
		complete := true
		for member := range worldMembers {
			sum := int64(0)
			for i := range initial {
				says := w.ask(network, member, i)
				sum += says.Balance
				complete = complete && says.Next == uint64(len(payers[i/historyAccounts].account(int32(i)).Sent))
				answers = append(answers, history.Answer(int32(i), initial[i], says))
			}
			complete = complete && sum == minted // no credit is under way between two shards
		}
		return complete
	})
	return answers
}

// settle brings an account's certificates to all authorities that lack them.
func (w *committeeWorld) settle(network *client.Network, sent []codec.Certificate) {
	d := client.NewSettle(w.committee, sent[len(sent)-1], func(sender *codec.Address, number uint64) (codec.Certificate, bool) {
		if *sender != *sent[0].Order().Sender() || number >= uint64(len(sent)) {
			return codec.Certificate{}, false
		}
		return sent[number], true
	})
	for !d.Idle() {
		for _, r := range d.Requests() {
			time.Sleep(r.Delay)
			if reply, err := network.Exchange(w.t.Context(), r.Authority, &r.Account, r.Message); err != nil {
				d.Fail(r.ID, err)
			} else {
				d.Reply(r.ID, reply)
			}
		}
	}
}

// ask is what one authority says of an account.
func (w *committeeWorld) ask(network *client.Network, member, account int) history.Account {
	name := w.accounts[account].Public()
	reply, err := network.Exchange(w.t.Context(), member, &name, codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: name}))
	var m codec.Message
	if err != nil || !m.Decode(reply) || m.Kind != codec.KindInfoResponse {
		return history.Account{Balance: -1} // tried again
	}
	r := m.InfoResponse()
	return history.Account{Next: r.NextSequenceNumber, Balance: r.Balance.Big().Int64()}
}
