package eight

import (
	"runtime"
	"sync"
	"sync/atomic"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
)

// members is the keys of a committee. They earn their tables by votes: making them takes 12 ms a key and 4 MB, which a
// client that checks a few certificates must not pay, and a node pays once, in the background.
type members struct {
	scalar backend.Members
	keys   [][32]byte
	votes  atomic.Int64 // seen while there are no tables
	tables atomic.Pointer[memberTables]
	making sync.WaitGroup
}

// memberTables are the tables of those keys that decode.
type memberTables struct {
	tables *ifma.Tables
	index  []int32 // member to key of the tables, or -1
}

const (
	// tableVotes is how many votes, for each member, start the making of tables.
	tableVotes = 50
	// tableMembers bounds the memory: 270 MB. Votes of larger committees go into the equation, which has one term for all
	// votes of one key.
	tableMembers = 64
)

// NewMembers keeps the keys. One that does not decode is a member none of whose signatures is good.
func (b Backend) NewMembers(keys [][32]byte) backend.Members {
	return &members{scalar: b.Scalar.NewMembers(keys), keys: keys}
}

// get returns the tables, nil while there are none. seen is the number of votes that could use them now.
func (m *members) get(seen int) *memberTables {
	if t := m.tables.Load(); t != nil || seen == 0 || len(m.keys) > tableMembers {
		return t
	}
	after, enough := m.votes.Add(int64(seen)), int64(tableVotes*len(m.keys))
	if after >= enough && after-int64(seen) < enough {
		m.making.Go(m.make)
	}
	return nil
}

// Wait returns when no tables are being made: for tests and benchmarks, which must know what they measure.
func (m *members) Wait() { m.making.Wait() }

// make builds the tables. Without memory for them there are none, and votes go on through the equation.
func (m *members) make() {
	t := &memberTables{index: make([]int32, len(m.keys))}
	points, ok := make([]ifma.CachedPoint, len(m.keys)), make([]bool, len(m.keys))
	ifma.NewScratch().DecodePoints(points, ok, flatten(m.keys), 32)
	var decoding [][32]byte
	for i := range m.keys {
		t.index[i] = -1
		if ok[i] {
			t.index[i] = int32(len(decoding))
			decoding = append(decoding, m.keys[i])
		}
	}
	tables, err := ifma.NewTables(decoding, ifma.TableOptions{})
	if err != nil {
		return
	}
	t.tables = tables
	// A checker holds members for as long as it may use the tables.
	runtime.AddCleanup(m, func(tables *ifma.Tables) { _ = tables.Close() }, tables)
	m.tables.Store(t)
}

func flatten(keys [][32]byte) (all []byte) {
	for i := range keys {
		all = append(all, keys[i][:]...)
	}
	return all
}

// smallTables is for checks where no committee has earned tables: 0.4 MB, made in half a millisecond, or nil without memory
// for them.
var smallTables = sync.OnceValue(func() *ifma.Tables {
	t, err := ifma.NewTables(nil, ifma.TableOptions{BaseWindow: smallWindow})
	if err != nil {
		return nil
	}
	return t
})

// smallWindow is the width in bits of the windows of smallTables.
const smallWindow = 8
