package voi

import (
	"sync"
	"sync/atomic"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

// members is the keys of a committee, decoded.
type members struct {
	list  []member
	width int // of the tables' windows
}

// member is one key. It earns its table by votes: making one costs as much as tableVotes votes save, so that a client
// that checks a single certificate makes none, and a node soon has all.
type member struct {
	decodes   bool
	x, y      edwards.Element
	niels     edwards.Niels
	votes     atomic.Int32 // seen while there is no table
	making    sync.Mutex
	multiples atomic.Pointer[edwards.Table]
}

// A vote takes an addition for each window of the member's table, so wider windows are better as long as the tables fit
// into the cache, or into what a node may spend.
const (
	wideMembers = 24 // committees up to here get windows of 10 bits: 26 additions, 1.3 MB and 2.5 ms each, 31 MB in all
	wideWidth   = 10
	narrowWidth = 8 // beyond: 32 additions, 0.4 MB and 0.8 ms each
	// tableMembers bounds the memory: 128 tables are 50 MB. Votes of later members go into the equation, which has one term
	// for all votes of one key.
	tableMembers = 128
	// tableVotes is how many votes of a member pay for its table, at 20 µs saved on a vote checked alone.
	tableVotes = 100
)

// NewMembers decodes the keys. One that does not decode is a member none of whose signatures is good.
func (Backend) NewMembers(keys [][32]byte) backend.Members {
	m := &members{list: make([]member, len(keys)), width: narrowWidth}
	if len(keys) <= wideMembers {
		m.width = wideWidth
	}
	for i := range keys {
		k := &m.list[i]
		if k.decodes = edwards.Decode(&k.x, &k.y, &keys[i]); k.decodes {
			k.niels.SetAffine(&k.x, &k.y)
		}
	}
	return m
}

// table returns the table of a member, nil when it has none yet. The vote that earns the table waits until it is made;
// other goroutines go on without.
func (m *members) table(i int32) *edwards.Table {
	k := &m.list[i]
	if t := k.multiples.Load(); t != nil {
		return t
	}
	if i >= tableMembers || !k.decodes || k.votes.Add(1) < tableVotes || !k.making.TryLock() {
		return nil
	}
	defer k.making.Unlock()
	if k.multiples.Load() == nil {
		k.multiples.Store(edwards.NewTable(&k.x, &k.y, m.width))
	}
	return k.multiples.Load()
}
