package node

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// tiny makes every workload change segments, fill groups and make snapshots often.
var tiny = func() limits {
	l := defaultLimits
	l.flush, l.group, l.segmentBytes, l.snapshotBytes = 4<<10, 16<<10, 64<<10, 64<<10
	return l
}()

// crashWorld is a node without loops on a disk that crashes: two shards on two workers, so that credits wait in queues.
type crashWorld struct {
	*world
	t    *testing.T
	rng  *rand.Rand
	mem  *journal.MemFS
	n    *Node
	h    *history
	next []uint64 // the payment that each account makes next
	conn []*socket
	asks [][]int // by worker: the accounts whose replies are outstanding
}

func newCrashWorld(t *testing.T, seed uint64) *crashWorld {
	c := &crashWorld{world: newWorld(t, 4, 2, 12), t: t, rng: rand.New(rand.NewPCG(seed, 7)), mem: new(journal.MemFS)}
	c.h = newHistory(c.world)
	c.next = make([]uint64, len(c.accounts))
	c.start()
	return c
}

func (c *crashWorld) start() {
	o := c.durable(c.mem)
	l := tiny
	l.commitHere = 2 * c.rng.IntN(2)
	o.limits, o.Workers, o.Pin = &l, 2, "off"
	c.n = c.loopless(o)
	c.conn, c.asks = nil, make([][]int, 2)
	for _, w := range c.n.workers {
		c.conn = append(c.conn, w.open(c.t))
	}
}

// send gives a worker a request about an account, whose reply shows that account.
func (c *crashWorld) send(account int, message []byte) {
	s := c.shardOf(account)
	i := c.n.byShard[s].index
	c.conn[i].feed(frame(message))
	c.asks[i] = append(c.asks[i], account)
}

// hear takes in what has left.
func (c *crashWorld) hear() {
	for i, s := range c.conn {
		for _, m := range s.replies() {
			if err := c.h.heard(c.asks[i][0], m); err != nil {
				c.t.Fatal(err)
			}
			c.asks[i] = c.asks[i][1:]
		}
	}
}

// step does one thing, drawn by the seed.
func (c *crashWorld) step() {
	account, other := c.rng.IntN(len(c.accounts)), c.rng.IntN(len(c.accounts))
	worker := c.n.workers[c.rng.IntN(2)]
	switch p := c.rng.IntN(100); {
	case p < 30:
		c.send(account, codec.AppendOrder(nil, c.order(account, other, 1+c.rng.Uint64N(9), c.next[account])))
	case p < 50: // of a payment that a quorum of others voted for, whatever was voted for here
		o := c.order(account, other, 1+c.rng.Uint64N(9), c.next[account])
		if voted, ok := c.h.voted[account][c.next[account]]; ok {
			o = voted
		}
		c.send(account, codec.AppendCertificate(nil, c.certificate(o)))
		c.next[account]++
	case p < 60:
		c.send(account, infoRequest(c.world, account))
	case p < 75:
		worker.work()
	case p < 85:
		if err := c.n.store.journal.Commit(); err != nil {
			c.t.Fatal(err)
		}
	case p < 95:
		worker.release()
		c.hear()
	case p < 97:
		worker.acknowledge()
	default:
		if to := c.n.store.journal.Sealed(); c.n.store.snapshotDue(to) {
			if err := c.n.store.makeSnapshot(to); err != nil {
				c.t.Fatal(err)
			}
			if err := c.n.store.retire(); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// crash starts the authority again on what a crash at this moment leaves, and checks it.
func (c *crashWorld) crash() error {
	left := c.mem.Crash(func() bool { return c.rng.IntN(2) == 0 })
	c.mem = left
	c.start()
	c.n.settle(c.t)
	for i := range c.next { // the certificates that this authority had not told of are sent again, or not
		c.next[i] = c.n.question(c.t, c.world, i).InfoResponse().NextSequenceNumber
	}
	return c.h.check(c.t, c.n)
}

// TestCrashesForgetNothing crashes at random moments, with any part of what was not synced kept: between debit and credit,
// in the middle of a group, a change of segments or a snapshot.
func TestCrashesForgetNothing(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 8
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			c := newCrashWorld(t, seed)
			for range 6 {
				for range 400 {
					c.step()
				}
				old := c.n
				if err := c.crash(); err != nil {
					t.Fatal(err)
				}
				_ = old.store.close()
			}
			_ = c.n.store.close()
		})
	}
}
