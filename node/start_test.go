package node

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// onDisk are options for a node with a journal in a real directory.
func (w *world) onDisk(dir string, d Durability, shards ...int) Options {
	o := w.options(shards...)
	o.Durability, o.DataDir, o.Retain = d, dir, Retain{All: true}
	l := defaultLimits
	l.segmentBytes = 4 << 20
	o.limits = &l
	return o
}

// once runs an authority, does something, and stops it in good order.
func (w *world) once(o Options, do func(n *Node)) {
	w.t.Helper()
	n, err := Start(o)
	if err != nil {
		w.t.Fatal(err)
	}
	if do != nil {
		do(n)
	}
	if err := n.Stop(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func TestRestartRemembers(t *testing.T) {
	for _, mode := range []Durability{DurabilitySync, DurabilityAsync} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, 4, 2, 20)
			o := w.onDisk(t.TempDir(), mode)
			payer, other := w.accountIn(0, 0), w.accountIn(1, 0) // across shards
			paid, pending := w.order(payer, other, 7, 0), w.order(payer, other, 8, 1)
			cert := w.certificate(paid)
			var vote *codec.Message
			w.once(o, func(*Node) {
				c := w.dial(0)
				c.ask(codec.AppendOrder(nil, paid))
				c.ask(codec.AppendCertificate(nil, cert))
				vote = c.ask(codec.AppendOrder(nil, pending))
				eventually(t, "the credit", func() bool { return w.balance(other) == initialBalance+7 })
			})
			for range 2 {
				w.once(o, func(n *Node) {
					if r := n.Recovery(); r.Begun {
						t.Error("the journal was begun again")
					}
					c := w.dial(0)
					again := c.ask(codec.AppendOrder(nil, pending))
					if *again.InfoResponse().Pending.Signature() != *vote.InfoResponse().Pending.Signature() {
						t.Error("another vote than before")
					}
					wantError(t, c.ask(codec.AppendOrder(nil, w.order(payer, other, 9, 1))), codec.PreviousTransferMustBeConfirmedFirst)
					got := c.ask(certificateRequest(w, payer, 0)).InfoResponse()
					if string(got.Certificate.Bytes()) != string(cert.Bytes()) || got.NextSequenceNumber != 1 {
						t.Error("the certificate is not the one that was settled")
					}
					if w.balance(payer) != initialBalance-7 || w.balance(other) != initialBalance+7 {
						t.Errorf("balances %d and %d", w.balance(payer), w.balance(other))
					}
				})
			}
		})
	}
}

// refused demands that a start is refused, and that a start with what the directory was begun with goes on to work.
func (w *world) refused(wrong, right Options, parts ...string) {
	w.t.Helper()
	if n, err := Start(wrong); err == nil {
		w.stop(n)
		w.t.Error("was not refused")
	} else {
		wantRefusal(w.t.(*testing.T), err, parts...)
	}
	w.once(right, nil)
}

func TestWrongIdentitiesAreRefused(t *testing.T) {
	w := newWorld(t, 4, 4, 20)
	right := w.withAccounts(w.onDisk(t.TempDir(), DurabilitySync, 0, 1))
	w.once(right, nil)

	wrong := right
	wrong.Shards = []int{1}
	w.refused(wrong, right, "shard 1", "shards-0-1", "with --shard 0-1")
	wrong.Shards = nil
	w.refused(wrong, right, "shard 0", "shards-0-1", "with --shard 0-1")

	other := newWorld(t, 5, 4, 20) // the same key, and one member more
	wrong = right
	wrong.Committee = other.committee
	w.refused(wrong, right, "committee is 4 members", "5 members")

	other = newWorld(t, 4, 2, 20) // the same key and shards, of fewer
	wrong = right
	wrong.Member, wrong.Committee = other.members[0], other.committee
	w.refused(wrong, right, "number of shards is 4 there, and 2 here", "number of shards is fixed")

	w.accounts = append(w.accounts, key('u', 1000))
	w.refused(w.withAccounts(right), right, "1 were added", "add-accounts")
	w.accounts = w.accounts[:19]
	w.refused(w.withAccounts(right), right, "other initial accounts", "not applied again")
	w.accounts = w.accounts[:0]
	w.refused(w.withAccounts(right), right, "other initial accounts")

	folder := filepath.Join(right.DataDir, filepath.Base(mustGlob(t, filepath.Join(right.DataDir, "*"))))
	if err := os.Rename(filepath.Join(folder, "shards-0-1"), filepath.Join(folder, "shards-2")); err != nil {
		t.Fatal(err)
	}
	wrong = right
	wrong.Shards = []int{2}
	if _, err := Start(wrong); err == nil {
		t.Error("a folder that was renamed is taken for another's")
	} else {
		wantRefusal(t, err, "shards is 0-1 there, and 2 here")
	}
}

// withAccounts are the options with the accounts that the world has now.
func (w *world) withAccounts(o Options) Options {
	accounts := append(w.accounts[:0:0], w.accounts...)
	o.Accounts = func(yield func(codec.Address, codec.Balance) bool) {
		for _, k := range accounts {
			if !yield(k.Public(), codec.NewBalance(initialBalance)) {
				return
			}
		}
	}
	return o
}

func mustGlob(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

func TestNoneAndDurableStarts(t *testing.T) {
	w := newWorld(t, 4, 2, 20)
	none := w.onDisk(t.TempDir(), DurabilityNone)
	durable := none
	durable.Durability = DurabilitySync
	w.once(none, nil)
	w.once(none, nil) // as often as one likes
	for _, mode := range []Durability{DurabilitySync, DurabilityAsync} {
		durable.Durability = mode
		w.refused(durable, none, "--durability none", "--accept-lost-votes")
	}
	accepted := durable
	accepted.AcceptLostVotes = true
	w.once(accepted, nil)
	w.once(durable, nil) // it was accepted
	w.refused(none, durable, "shards-0-1", "--durability sync")

	none.Shards = []int{0}
	if _, err := Start(none); err == nil {
		t.Error("durability none with some of the shards")
	}
}

// TestAsyncCrashIsNotForgotten ends a process with durability async without its stop: what it leaves is as after a crash.
func TestAsyncCrashIsNotForgotten(t *testing.T) {
	w := newWorld(t, 4, 2, 20)
	mem := new(journal.MemFS)
	o := w.durable(mem)
	o.Durability = DurabilityAsync
	n := w.loopless(o)
	if err := n.store.serve(); err != nil {
		t.Fatal(err)
	}
	left := mem.Crash(func() bool { return false })
	again := w.durable(left)
	for _, mode := range []Durability{DurabilitySync, DurabilityAsync} {
		again.Durability = mode
		for range 2 {
			_, err := Start(again)
			wantRefusal(t, err, "--durability async", "--accept-lost-votes")
		}
	}
	again.AcceptLostVotes = true
	w.once(again, nil)
	again.AcceptLostVotes = false
	w.once(again, nil) // the stop was clean
	if err := n.store.close(); err != nil {
		t.Fatal(err)
	}
}
