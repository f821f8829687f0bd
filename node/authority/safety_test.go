package authority

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"fastpay/codec"
)

// The safety properties, each on random histories of world_test.go. S1, S2, S3 and S9 are asserted there, where the vote,
// certificate or forgery comes up; the tests here steer the history so that it comes up, and check what holds at the end.
// A failure prints the draws, and a file to run them again with -rapid.failfile.

const historySteps = 120

func history(t *testing.T, check func(t *rapid.T, w *world)) {
	t.Helper()
	var sum tally
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.run(historySteps)
		check(t, w)
		sum.certificates += w.tally.certificates
		sum.conflicts += w.tally.conflicts
		sum.credits += w.tally.credits
		sum.repeats += w.tally.repeats
		sum.debts += w.tally.debts
		sum.lost += w.tally.lost
	})
	t.Logf("in all: %+v", sum)
	// With -short rapid draws a fifth of the histories, which now and then have no debt among them.
	if !testing.Short() && min(sum.certificates, sum.conflicts, sum.credits, sum.repeats, sum.debts, sum.lost) == 0 {
		t.Errorf("the histories tried too little: %+v", sum)
	}
}

func TestS1NoTwoCertificatesForOneSequenceNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.initial = 20
		// Conflicting orders for one number race to all authorities, with the Byzantine votes for each.
		for range 5 {
			w.sign()
			o := w.orders[len(w.orders)-1]
			changed := o.Transfer()
			changed.UserData.Present = !changed.UserData.Present
			seed := w.owners[0]
			for _, s := range w.owners {
				if testKey(s) == *o.Sender() {
					seed = s
				}
			}
			w.orders = append(w.orders, signOrder(seed, changed))
			for range 12 {
				w.sendOrder()
			}
			w.sendCertificate()
			w.crash()
		}
		transfers := make(map[string]string)
		for _, c := range w.certs {
			if other, ok := transfers[place(c.Order())]; ok && other != string(c.Order().TransferBytes()) {
				t.Fatalf("two certificates for %s", place(c.Order()))
			}
			transfers[place(c.Order())] = string(c.Order().TransferBytes())
		}
	})
}

func TestS2NeverSignsTwoOrdersForOneSequenceNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range 10 {
			w.sign()
		}
		for range 40 {
			w.deliver(0, orderMessage(w.recent(w.orders)))
			switch rapid.IntRange(0, 7).Draw(t, "then") {
			case 0:
				w.sendCertificate()
			case 1:
				w.crash()
			}
		}
	})
}

func TestS3AcceptsOnlyQuorums(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		for range 20 {
			w.sendForgery()
		}
		for i := range w.honest {
			confirmed := uint64(0)
			for _, s := range w.honest[i].shards {
				for a := range s.Accounts() {
					confirmed += a.Confirmed
				}
			}
			if confirmed > uint64(len(w.settled[i])) {
				t.Fatalf("authority %d confirmed %d of %d certificates that had a quorum", i, confirmed, len(w.settled[i]))
			}
		}
	})
}

// At every moment an authority holds the money it began with, less what left for the Primary, less what is on its way
// between its shards. At quiescence nothing is on its way.
func TestS4MoneyIsConserved(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		w.settleAll()
		want := new(big.Int).Sub(w.minted(), w.redeemed())
		for i, d := range w.honest {
			sum := new(big.Int)
			for _, s := range d.shards {
				sum.Add(sum, s.TotalBalance())
			}
			if sum.Cmp(want) != 0 {
				t.Fatalf("authority %d holds %v, expected %v", i, sum, want)
			}
		}
	})
}

// Certificates arrive in any order, so a balance may be negative for a while, but not once all have arrived.
func TestS5NoDebtOnceAllArrived(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		w.settleAll()
		for i, d := range w.honest {
			for _, s := range d.shards {
				for a := range s.Accounts() {
					if a.Balance.Less(codec.NewBalance(0)) {
						t.Fatalf("authority %d: %x has %v", i, a.Address[:4], a.Balance)
					}
				}
			}
		}
	})
}

// Every certificate to a FastPay address is in its recipient's received log exactly once, and the balances are what the
// certificates make of the initial ones.
func TestS6EveryCreditExactlyOnce(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		w.settleAll()
		received := make(map[codec.Address]uint64)
		balance := make(map[codec.Address]codec.Balance)
		for _, seed := range w.owners {
			balance[testKey(seed)] = codec.NewBalance(w.initial)
		}
		for _, o := range w.final() {
			balance[*o.Sender()], _ = balance[*o.Sender()].Sub(codec.NewBalance(o.Amount()))
			if o.RecipientKind() == codec.FastPay {
				balance[*o.Recipient()], _ = balance[*o.Recipient()].Add(codec.NewBalance(o.Amount()))
				received[*o.Recipient()]++
			}
		}
		for i, d := range w.honest {
			for _, s := range d.shards {
				for a := range s.Accounts() {
					if a.Received != received[a.Address] || a.Balance != balance[a.Address] {
						t.Fatalf("authority %d: %x received %d, has %v, expected %d, %v", i, a.Address[:4],
							a.Received, a.Balance, received[a.Address], balance[a.Address])
					}
				}
			}
		}
	})
}

func TestS7RepeatingChangesNothing(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		for i, d := range w.honest {
			before := d.dump()
			for _, o := range w.orders {
				w.deliverRepeat(d, orderMessage(o), w.voted[i][place(o)] == string(o.TransferBytes()))
			}
			for _, c := range w.certs {
				if w.settled[i][string(c.Order().TransferBytes())] {
					w.deliverRepeat(d, certMessage(c), true)
				}
			}
			if d.dump() != before {
				t.Fatalf("authority %d: a repeat changed the state", i)
			}
		}
		w.settleAll()
		for i, d := range w.honest {
			before := d.dump()
			for _, c := range w.certs {
				w.deliverRepeat(d, certMessage(c), true)
			}
			for from, s := range d.shards {
				for to := range d.shards {
					if n := s.Issued(to); n > 0 && to != from && d.shards[to].Cursor(from) != n {
						t.Fatalf("authority %d: shard %d has %d of %d credits", i, to, d.shards[to].Cursor(from), n)
					}
				}
			}
			if d.dump() != before {
				t.Fatalf("authority %d: a repeat changed the state", i)
			}
		}
	})
}

// deliverRepeat sends a message again, if it was accepted before; an order only while it is pending.
func (w *world) deliverRepeat(d *driver, message []byte, accepted bool) {
	if !accepted {
		return
	}
	m := mustDecode(message)
	o := orderOf(m)
	s := d.shardOf(*o.Sender())
	if m.Kind == codec.KindOrder && !s.KnownOrder(o) {
		return
	}
	for i, t := range d.shards {
		if t != s {
			continue
		}
		if a := d.one(i, message); a.err != nil || a.out.Changed || a.creditTo >= 0 {
			w.t.Fatalf("a repeat: %v, %+v", a.err, a.out)
		}
	}
}

func TestS9MoneyMovesOnlyWithItsOwnersSignature(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		for range 20 {
			w.sendForgery()
		}
	})
}

func TestS10AnyOrderGivesTheSameState(t *testing.T) {
	history(t, func(t *rapid.T, w *world) {
		w.settleAll()
		// A pending order is one authority's own business: a certificate for each number is what makes them equal.
		for _, d := range w.honest {
			for _, s := range d.shards {
				for i := range s.table.accounts.n {
					if a := s.table.accounts.at(i); a.pending != 0 {
						s.pending.release(a.pending - 1)
						a.pending = 0
					}
				}
			}
		}
		for i, d := range w.honest[1:] {
			if got, want := d.dump(), w.honest[0].dump(); got != want {
				t.Fatalf("authority %d:\n%s\nauthority 0:\n%s", i+1, got, want)
			}
		}
	})
}

// A batch gives what its requests give one by one: the same replies with the same votes, and the same state.
func TestBatchMatchesSingle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		twin := newWorldDriver(t, w)
		w.run(20)
		var messages [][]byte
		for range 40 {
			w.sign()
			o := w.recent(w.orders)
			c := certify(o, 0, 1, byzantine)
			message := [][]byte{orderMessage(o), orderMessage(o), certMessage(c), infoMessage(w.owners[0], nil), w.forge(o),
				infoMessage(w.owners[1], func(q *codec.InfoRequest) { q.HasReceived = true }),
			}[rapid.IntRange(0, 5).Draw(t, "message")]
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				messages = append(messages, message)
			}
		}
		batched := newWorldDriver(t, w)
		for len(messages) > 0 {
			n := rapid.IntRange(1, len(messages)).Draw(t, "batch")
			for shard := range w.numShards {
				for i, a := range batched.batch(shard, messages[:n]...) {
					if b := twin.one(shard, messages[i]); string(a.reply) != string(b.reply) || a.creditTo != b.creditTo {
						t.Fatalf("request %d of a batch for shard %d: %x, alone %x", i, shard, a.reply, b.reply)
					}
				}
			}
			messages = messages[n:]
		}
		if got, want := batched.dump(), twin.dump(); got != want {
			t.Fatalf("in batches:\n%s\nalone:\n%s", got, want)
		}
	})
}
