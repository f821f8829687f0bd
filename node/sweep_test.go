package node

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// A sweep runs one workload again and again: some 700 steps of an authority, with payments, credits between shards,
// requests that read back, changes of segments, snapshots and removed segments; and three recoveries, after a process that
// was killed, a crash of the machine, and a stop. Whatever it asks of its disks passes by in the same order each time.
type sweep struct {
	*crashWorld
	crashes  *rand.Rand
	count    int        // operations of the disks so far
	failAt   int        // this one fails; 0 for none
	failed   journal.Op // the one that did
	after    int        // operations after it that change something, but for removing what it could not finish
	left     int        // what had left the process by then
	stopping bool
	at       func(journal.Op) // sees those that change something, before they do
}

// sweepSteps are how many things happen between two starts.
const sweepSteps = 230

func newSweep(w *world, t *testing.T) *sweep {
	s := &sweep{crashWorld: newCrashWorldOf(w, t, 3), crashes: rand.New(rand.NewPCG(3, 8))}
	s.inject = s.see
	l := &s.limits // a group has a block at least, and a segment five of them
	l.flush, l.group, l.segmentBytes, l.snapshotBytes = 1<<10, 2*journal.BlockSize, 6*journal.BlockSize, 6*journal.BlockSize
	l.creditRing = 64 << 10
	return s
}

func (s *sweep) see(op journal.Op) error {
	s.count++
	switch {
	case s.at != nil && op.Kind.Changes():
		s.at(op)
	case s.failAt > 0 && s.count == s.failAt:
		s.failed, s.left = op, s.told()
		return errInjected
	case s.failAt > 0 && s.count > s.failAt && op.Kind.Changes() && !(op.Kind == journal.OpRemove && strings.HasSuffix(op.Name, ".tmp")):
		s.after++
	}
	return nil
}

// told is what has left the process, or one worker for the other: bytes of replies and of credits.
func (s *sweep) told() (n int) {
	if s.n == nil {
		return 0
	}
	for _, w := range s.n.workers {
		n += int(w.stats.bytesOut)
		for _, in := range w.inbox {
			n += int(in.ring.head.Load())
		}
	}
	return n
}

// run is the workload. It ends early, with the error, where the process would.
func (s *sweep) run() error {
	if err := s.begin(); err != nil {
		return err
	}
	for part := range 3 {
		for range sweepSteps {
			if err := s.goOn(); err != nil {
				return err
			}
		}
		switch part {
		case 0: // the process is killed: the kernel has what it wrote
			s.crash(keepAll)
		case 1: // the machine stops
			s.crash(s.half)
		case 2:
			if err := s.stop(); err != nil {
				return err
			}
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := s.goOn(); err != nil {
		return err
	}
	return s.stop()
}

// stop ends the process in good order.
func (s *sweep) stop() error {
	s.stopping = true
	return s.n.store.close()
}

// begin starts a process, whose clients go on where it is.
func (s *sweep) begin() error {
	s.n, s.stopping = nil, false
	if err := s.start(); err != nil {
		return err
	}
	for _, w := range s.n.workers {
		for _, shard := range w.shards {
			for a := range shard.core.Accounts() {
				s.next[s.accountOf(&a.Address)] = a.NextSequenceNumber
			}
		}
	}
	return nil
}

// goOn is step. What a snapshot could not do ends nothing; what a commit could not do ends the process.
func (s *sweep) goOn() error {
	err := s.step()
	if s.n.hasFailed() {
		return s.n.failure
	}
	if err != nil && !errors.Is(err, errInjected) {
		return err
	}
	return nil
}

func keepNone() bool { return false }

func keepAll() bool { return true }

func (s *sweep) half() bool { return s.crashes.IntN(2) == 0 }

// mute checks that a process which has failed says nothing more and writes nothing more, whatever is asked of it.
func (s *sweep) mute() error {
	if !s.n.store.halted.Load() {
		return fmt.Errorf("it goes on after %w", s.n.failure)
	}
	for i := range s.accounts {
		s.send(i, codec.AppendOrder(nil, s.order(i, 0, 1, s.next[i])))
		s.send(i, infoRequest(s.world, i))
	}
	for _, w := range s.n.workers {
		w.work()
		w.acknowledge()
		w.release()
		w.readBack(len(w.library.queue))
	}
	if err := s.n.store.journal.Commit(); !errors.Is(err, errInjected) {
		return fmt.Errorf("a commit after the failure: %w", err)
	}
	if left := s.told(); left != s.left {
		return fmt.Errorf("%d bytes had left before the failure, %d have now", s.left, left)
	}
	if s.after > 0 {
		return fmt.Errorf("%d operations change the disk after the failure", s.after)
	}
	if s.stopping {
		return nil
	}
	if err := s.n.store.close(); !errors.Is(err, errInjected) || s.after > 0 {
		return fmt.Errorf("the end of the journal after the failure: %w, %d operations change the disk", err, s.after)
	}
	return nil
}

// recovers starts an authority on disks that were left, and checks that nothing is gone that clients were told; and again
// after the machine stopped as soon as the first reply had left.
func (s *sweep) recovers(root, mem *journal.MemFS) error {
	next := &crashWorld{world: s.world, t: s.t, rng: s.crashes, root: root, mem: mem, limits: s.limits, mode: s.mode,
		h: s.h.clone(), next: make([]uint64, len(s.next))}
	if s.mode == DurabilityAsync {
		next.h = newHistory(s.world) // what was told may be forgotten
	}
	for range 2 {
		if err := next.start(); err != nil {
			return err
		}
		if err := next.check(); err != nil {
			return err
		}
		next.crash(keepNone)
	}
	return nil
}

// TestEachOperationFailsOnce lets every operation of the workload's disks fail, one in each run: opening, reading, writing,
// syncing, allocating, renaming, removing, locking. If a commit or a start needed it the process ends at once, says nothing
// more, and does not try again; if only a snapshot did, it goes on. After that, and whatever a crash leaves of what was not
// synced, nothing is gone that clients were told.
func TestEachOperationFailsOnce(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	whole := newSweep(w, t)
	if err := whole.run(); err != nil {
		t.Fatal(err)
	}
	every := 1
	if testing.Short() {
		every = 23 // the segments' and groups' operations come in twos and fours
	}
	ended, endured := make(map[journal.OpKind]int), make(map[journal.OpKind]int)
	for at := 1; at <= whole.count; at += every {
		s := newSweep(w, t)
		s.failAt = at
		err := s.run()
		kind := s.failed.Kind
		fail := func(when string, err error) {
			t.Helper()
			t.Fatalf("operation %d of %d (%s %s) fails, %s: %v", at, whole.count, kind, s.failed.Name, when, err)
		}
		switch {
		case kind == "":
			t.Fatalf("operation %d of %d was not asked for: the workload is not the same each time", at, whole.count)
		case err == nil && kind.Changes() && strings.Contains(s.failed.Name, ".log") && kind != journal.OpRemove:
			fail("in a segment, and the process goes on", nil)
		case err == nil:
			endured[kind]++
		case !errors.Is(err, errInjected):
			fail("and the process ends with", err)
		default:
			ended[kind]++
			if s.n != nil { // not in a start
				if err := s.mute(); err != nil {
					fail("and then", err)
				}
			}
		}
		for _, keep := range []func() bool{keepNone, s.half} {
			if err := s.recovers(s.root.Crash(keep), s.mem.Crash(keep)); err != nil {
				fail("after a crash", err)
			}
		}
		if err := s.recovers(s.root, s.mem); err != nil { // the kernel still shows what it could not write
			fail("after a restart", err)
		}
	}
	t.Logf("%d operations; these ended the process: %v; these did not: %v", whole.count, ended, endured)
	if every > 1 {
		return
	}
	for _, kind := range []journal.OpKind{journal.OpCreate, journal.OpOpen, journal.OpRename, journal.OpRemove, journal.OpList,
		journal.OpSyncDir, journal.OpLock, journal.OpRead, journal.OpWrite, journal.OpAllocate, journal.OpSync, journal.OpSize} {
		if ended[kind]+endured[kind] == 0 {
			t.Errorf("no %s among the operations", kind)
		}
	}
}

// TestCrashAtEveryPoint stops the machine before each operation of the workload that changes a disk, or makes that durable,
// with none, half and all of what was not synced kept: in commits, changes of segments, snapshots, removals, recoveries. With
// durability async what was told may be forgotten, but money is neither lost nor made.
func TestCrashAtEveryPoint(t *testing.T) {
	for mode, every := range map[Durability]int{DurabilitySync: 1, DurabilityAsync: 3} {
		t.Run(string(mode), func(t *testing.T) { crashAtEveryPoint(t, mode, every) })
	}
}

func crashAtEveryPoint(t *testing.T, mode Durability, every int) {
	if testing.Short() {
		every = 23
	}
	s := newSweep(newWorld(t, 4, 2, 12), t)
	s.mode = mode
	points := 0
	s.at = func(op journal.Op) {
		if points++; points%every != 0 {
			return
		}
		for _, keep := range []func() bool{keepNone, s.half, keepAll} {
			if err := s.recovers(s.root.Crash(keep), s.mem.Crash(keep)); err != nil {
				t.Fatalf("point %d (%s %s): %v", points, op.Kind, op.Name, err)
			}
		}
	}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d points, %d snapshots, segments up to %d", points, s.made, s.n.store.journal.Sealed()+1)
	if points < 250 || s.made < 3 {
		t.Errorf("the workload has become too small: %d points, %d snapshots", points, s.made)
	}
}
