package voi

import (
	"sync"
	"sync/atomic"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

// members is the keys of a committee, decoded.
type members struct {
	list []member
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

const (
	// tableVotes is how many votes of a member pay for its table: about 1 ms, at 20 µs saved on a vote checked alone.
	tableVotes = 50
	// tableMembers bounds the memory for tables: 128 of them are 50 MB. Votes of later members go into the equation,
	// which has one term for all votes of one key.
	tableMembers = 128
)

// NewMembers decodes the keys. One that does not decode is a member none of whose signatures is good.
func (Backend) NewMembers(keys [][32]byte) backend.Members {
	m := &members{list: make([]member, len(keys))}
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
		k.multiples.Store(edwards.NewTable(&k.x, &k.y, memberWidth))
	}
	return k.multiples.Load()
}
