package node

import (
	"fmt"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// TestFirstStartIsCutOff ends the first start of an authority at each operation of its disk. A process that begins after
// that funds the accounts once and can be started again and again; and once the journal says with which list of accounts it
// was begun, it takes no other one, but for accounts that are added to it.
func TestFirstStartIsCutOff(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	whole := w.accounts
	with := func(o Options, accounts int) Options {
		w.accounts = whole[:accounts]
		defer func() { w.accounts = whole }()
		return w.withAccounts(o)
	}
	balances := func(o Options, accounts int) error {
		n, err := w.tryLoopless(o)
		if err != nil {
			return err
		}
		defer n.store.close()
		for i, k := range whole {
			name := k.Public()
			balance, ok := n.byShard[w.shardOf(i)].shard(w.shardOf(i)).core.Balance(&name)
			if ok != (i < accounts) || ok && balance != codec.NewBalance(initialBalance) {
				return fmt.Errorf("account %d has %v, %v", i, balance, ok)
			}
		}
		return nil
	}
	begun := 0
	for cut := 1; ; cut++ {
		o := w.onDisk(t.TempDir(), DurabilitySync)
		*o.limits = tiny
		count := 0
		cutOff := with(o, 8)
		cutOff.openFS = func(path string) (journal.FS, error) {
			fs, err := journal.OpenDir(path)
			return &journal.FaultFS{FS: fs, Inject: func(journal.Op) error {
				if count++; count >= cut { // and nothing after it
					return errInjected
				}
				return nil
			}}, err
		}
		n, err := w.tryLoopless(cutOff)
		if err == nil {
			_ = n.store.close() // which may fail, as all does from now on
			break
		}
		if _, err := AddAccounts(with(o, 10)); err == nil {
			begun++
			wantRefusal(t, balances(with(o, 8), 8), "has other initial accounts: 10 accounts")
			for range 2 {
				if err := balances(with(o, 10), 10); err != nil {
					t.Fatalf("cut off at operation %d: with accounts that were added: %v", cut, err)
				}
			}
			continue
		}
		for range 3 {
			if err := balances(with(o, 8), 8); err != nil {
				t.Fatalf("cut off at operation %d: %v", cut, err)
			}
		}
		wantRefusal(t, balances(with(o, 7), 7), "has other initial accounts: 8 accounts")
	}
	if begun < 5 {
		t.Errorf("the journal was begun, and its first snapshot missing, in %d cases only", begun)
	}
}
