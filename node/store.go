package node

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"fastpay/node/authority"
	"fastpay/node/journal"
)

// store is what a process keeps on disk: its locks in the data directory, its journal, and its snapshots.
type store struct {
	node    *Node
	dir     *dataDir
	fs      journal.FS // of the journal's folder
	folder  string
	journal *journal.Journal
	list    accountsList // the accounts that were funded, initial ones and those that were added
	fresh   bool         // the journal was begun by this start
	loaded  bool         // there was a snapshot

	// halted is set when a write or sync has failed. From then on nothing leaves the process: what it would tell may
	// never have become durable.
	halted atomic.Bool
	// needed is for each shard, in the order of acknowledged.place, the first segment that its credits to others need.
	needed       []atomic.Uint32
	acknowledged *acknowledgements
	found        Recovery

	snapshotBytes int64         // of the last snapshot; of the goroutine that makes them
	snapshots     atomic.Uint64 // made since the start
	runs          snapshotRuns

	serving bool          // serve has begun
	stop    chan struct{} // ends making snapshots
	running sync.WaitGroup
}

// openStore takes the locks of the shards, and refuses what must not be begun or gone on with. It changes nothing yet.
func openStore(n *Node) (_ *store, err error) {
	s := &store{node: n, stop: make(chan struct{}), needed: make([]atomic.Uint32, len(n.shards)),
		acknowledged: newAcknowledgements(n.shards, n.Member.NumShards)}
	s.dir, err = openDataDir(n.DataDir, &n.Member.Name, n.shards, n.Member.NumShards, n.openFS)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.dir.close()
		}
	}()
	if n.Durability == DurabilityNone {
		return s, s.dir.beginNone()
	}
	if err = s.dir.checkSet(); err != nil {
		return nil, err
	}
	s.folder = s.dir.folder()
	fs, err := s.dir.open(s.folder)
	if err != nil {
		return nil, fmt.Errorf("node: data directory: %w", err)
	}
	s.fs = fs
	return s, s.checkFolder()
}

// checkFolder refuses to begin a journal without the votes of a process that kept none, to go on after one that lost
// some, and to go on with another identity.
func (s *store) checkFolder() error {
	id, begun, err := journal.ReadIdentity(s.fs)
	if err != nil {
		return fmt.Errorf("node: %s: %w", s.folder, err)
	}
	if !begun {
		return s.dir.checkNone(s.node.AcceptLostVotes)
	}
	if err := checkIdentity(s.folder, id, s.node.identity(accountsList{})); err != nil {
		return err
	}
	return checkAsync(s.fs, s.folder, s.node.AcceptLostVotes)
}

// committed is called after each commit, by the goroutine that commits.
func (s *store) committed(group uint64, err error) {
	if err != nil {
		s.halt(err)
		return
	}
	for _, w := range s.node.workers {
		if first := w.waitsFor.Load(); first != 0 && first <= group {
			w.announceDurable()
		}
	}
}

// halt ends the node because of a write or a sync that failed. Nothing leaves any more.
func (s *store) halt(err error) {
	s.halted.Store(true)
	s.node.fail(fmt.Errorf("node: nothing more is answered, since nothing more can be made durable: %w", err))
}

// serve begins to commit, to read back and to make snapshots, once all is recovered.
func (s *store) serve() error {
	var err error
	if s.node.Durability == DurabilityAsync {
		err = setMark(s.fs, asyncMark, asyncText)
	} else {
		err = removeMark(s.fs, asyncMark) // whoever accepted what was lost has done so for good
	}
	if err != nil {
		return err
	}
	s.serving = true
	s.running.Go(func() { // not on a thread of its own: whenever it yields, that would wake another one to hand over to
		_ = s.journal.Run() // committed was told of its error
	})
	s.running.Go(func() {
		runtime.LockOSThread() // for good: its name is the thread's
		s.node.nameThread("snapshots")
		s.makeSnapshots()
	})
	for _, w := range s.node.workers {
		w.library.start()
	}
	return nil
}

// close ends the journal in good order, unless it has failed, and lets go of the locks. After the loops.
func (s *store) close() error {
	close(s.stop)
	var err error
	if s.serving {
		for _, w := range s.node.workers {
			w.library.stop()
		}
		if !s.halted.Load() {
			err = s.flush()
		}
	}
	if s.journal != nil {
		err = errors.Join(err, s.journal.Close())
	}
	s.running.Wait()
	if err == nil && s.serving {
		err = removeMark(s.fs, asyncMark)
	}
	s.dir.close()
	return err
}

// provisional is the log of a worker's shards: the records of the batch that it fills.
type provisional struct{ w *worker }

// Next implements authority.Log.
func (p provisional) Next() authority.Position {
	return authority.Provisional(uint64(p.w.batch.records.Size()))
}

// Append implements authority.Log.
func (p provisional) Append(shard int, record []byte) authority.Position {
	return authority.Provisional(uint64(p.w.batch.records.Add(uint32(shard), record)))
}
