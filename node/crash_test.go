package node

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
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

// crashWorld is a node without loops on disks that crash: two shards on two workers, so that credits wait in queues. It
// runs on the test's goroutine alone, so that the same seed asks the same of the disks.
type crashWorld struct {
	*world
	t      *testing.T
	rng    *rand.Rand
	root   *journal.MemFS // the authority's folder: locks and marks
	mem    *journal.MemFS // its journal's
	limits limits
	mode   Durability
	inject func(journal.Op) error // sees what is asked of both; nil for nothing
	n      *Node
	h      *history
	made   int
	next   []uint64 // the payment that each account makes next
	conn   []*socket
	asks   [][]int // by worker: the accounts whose replies are outstanding
}

// newCrashWorld makes one that has not started.
func newCrashWorld(t *testing.T, seed uint64) *crashWorld {
	return newCrashWorldOf(newWorld(t, 4, 2, 12), t, seed)
}

func newCrashWorldOf(w *world, t *testing.T, seed uint64) *crashWorld {
	c := &crashWorld{world: w, t: t, rng: rand.New(rand.NewPCG(seed, 7)),
		root: new(journal.MemFS), mem: new(journal.MemFS), limits: tiny, mode: DurabilitySync}
	c.h = newHistory(c.world)
	c.next = make([]uint64, len(c.accounts))
	return c
}

// start begins a process on the disks.
func (c *crashWorld) start() error {
	o := c.world.options()
	o.Durability, o.DataDir = c.mode, "in memory"
	o.openFS = func(path string) (journal.FS, error) {
		fs := journal.FS(c.root)
		if strings.HasPrefix(filepath.Base(path), folderPrefix) {
			fs = c.mem
		}
		if c.inject != nil {
			fs = &journal.FaultFS{FS: fs, Inject: c.inject}
		}
		return fs, nil
	}
	l := c.limits
	l.commitHere = 2 * c.rng.IntN(2)
	o.limits, o.Workers, o.Pin = &l, 2, "off"
	var err error
	if c.n, err = c.tryLoopless(o); err != nil {
		return err
	}
	c.conn, c.asks = nil, make([][]int, 2)
	for _, w := range c.n.workers {
		c.conn = append(c.conn, w.open(c.t))
	}
	return nil
}

// mustStart is start where the disks don't fail.
func (c *crashWorld) mustStart() {
	c.t.Helper()
	if err := c.start(); err != nil {
		c.t.Fatal(err)
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

// step does one thing, drawn by the seed. What it asks of the disk itself may fail; what a worker asks shows in the node.
func (c *crashWorld) step() error {
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
	case p < 57:
		c.send(account, infoRequest(c.world, account))
	case p < 60:
		c.send(account, certificateRequest(c.world, account, c.rng.Uint64N(1+c.next[account])))
	case p < 75:
		worker.work()
	case p < 85:
		return c.n.store.journal.Commit()
	case p < 95:
		worker.release()
		if n := len(worker.library.queue); n > 0 {
			if c.mode == DurabilityAsync { // the librarian waits for what it is to read, and nobody else would commit
				if err := c.n.store.journal.Commit(); err != nil {
					return err
				}
			}
			worker.readBack(n)
		}
		c.hear()
	case p < 97:
		worker.acknowledge()
	default:
		return c.snapshot()
	}
	return nil
}

// snapshot makes one if it is due, as the goroutine for them does.
func (c *crashWorld) snapshot() error {
	to := c.n.store.journal.Sealed()
	if !c.n.store.snapshotDue(to) {
		return nil
	}
	if err := c.n.store.makeSnapshot(to); err != nil {
		return err
	}
	c.made++
	return c.n.store.retire()
}

// crash takes the disks as a crash at this moment leaves them.
func (c *crashWorld) crash(keep func() bool) { c.root, c.mem = c.root.Crash(keep), c.mem.Crash(keep) }

// check lets all credits of the process that has started arrive, and compares its state with what clients were told.
func (c *crashWorld) check() error {
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
			c.mustStart()
			for range 6 {
				for range 400 {
					if err := c.step(); err != nil {
						t.Fatal(err)
					}
				}
				old := c.n
				c.crash(func() bool { return c.rng.IntN(2) == 0 })
				c.mustStart()
				if err := c.check(); err != nil {
					t.Fatal(err)
				}
				_ = old.store.close()
			}
			_ = c.n.store.close()
		})
	}
}
