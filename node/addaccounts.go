package node

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"

	"fastpay/node/committee"
	"fastpay/node/journal"
)

// AddedAccounts is what AddAccounts did in one journal.
type AddedAccounts struct {
	Folder string
	Shards []int
	Added  uint64 // accounts of these shards; 0 if the journal had the list already
}

// AddAccounts funds the accounts of options.Accounts that come after those which the authority's journals have been told
// of, in all of them. No process of the authority may run. In each journal all of it happens, or nothing; after a crash it
// is called again. It needs options as Start does, and looks for the sets of shards itself.
func AddAccounts(options Options) (done []AddedAccounts, err error) {
	options.Shards = nil
	c, err := options.check()
	if err != nil {
		return nil, err
	}
	d, err := openDataDir(c.DataDir, &c.Member.Name, c.shards, c.Member.NumShards, c.openFS)
	if err != nil {
		return nil, err
	}
	sets, err := d.begun()
	d.close()
	if err == nil && len(sets) == 0 {
		err = &Refusal{fmt.Sprintf("%s has no journal yet", d.path), "the first start funds all accounts of the file"}
	}
	for _, set := range sets {
		if err != nil {
			break
		}
		var added AddedAccounts
		options.Shards = set
		added, err = addAccounts(options)
		done = append(done, added)
	}
	return done, err
}

func addAccounts(options Options) (done AddedAccounts, err error) {
	supply := new(big.Int)
	total := 0
	for _, balance := range options.Accounts {
		total++
		if err := checkSupply(supply, balance.Big()); err != nil {
			return done, err
		}
	}
	l := *cmp.Or(options.limits, &defaultLimits)
	largest := (int64(total)*addedBytes + journal.BlockSize) * 11 / 10 &^ (journal.BlockSize - 1)
	if largest > journal.MaxSegmentSize/2 {
		return done, fmt.Errorf("node: %d accounts are too many to add at once", total)
	}
	l.group = int(max(int64(l.group), largest))
	options.limits = &l
	c, err := options.check()
	if err != nil {
		return done, err
	}
	n := newNode(c)
	if n.claims, err = claimShards(&c.Member.Name, c.shards); err != nil {
		return done, err
	}
	defer n.releaseClaims()
	if n.store, err = openStore(n); err != nil {
		return done, err
	}
	done.Folder, done.Shards = n.store.folder, c.shards
	n.adding = true
	if err = n.prepare(); err == nil {
		done.Added, err = n.store.add()
	}
	return done, errors.Join(err, n.store.close())
}

// addedBytes bounds the record of an account.
const addedBytes = 80

// add funds the accounts that come after those that the journal knows, in one group with the list of all.
func (s *store) add() (added uint64, err error) {
	n := s.node
	all, first := listAccounts(n.Accounts, s.list.count)
	if first != s.list {
		return 0, &Refusal{fmt.Sprintf("%s has other %s: %v there, and the file has %v", s.folder, fieldAccounts, s.list, all),
			"give the file that the authority was started with, with the new accounts after those in it"}
	}
	if !s.loaded { // the first start was cut off
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	if all == s.list {
		return 0, nil
	}
	position := uint64(0)
	for account, balance := range n.Accounts {
		shard := committee.ShardOf(&account, n.Member.NumShards)
		if position++; position <= s.list.count || n.byShard[shard] == nil {
			continue
		}
		if err := n.byShard[shard].shard(shard).core.AddAccount(&account, balance); err != nil {
			return 0, err
		}
		added++
	}
	n.workers[0].batch.records.Add(uint32(n.shards[0]), all.append([]byte{recordList}))
	for _, w := range n.workers { // all into the group that fills, which has room for them
		if _, _, err := s.journal.Append(&w.batch.records); err != nil {
			return 0, err
		}
	}
	return added, s.journal.Commit()
}
