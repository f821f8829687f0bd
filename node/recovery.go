package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// Recovery is what a start found on the disk.
type Recovery struct {
	Folder        string        // of the journal; "" without one
	Begun         bool          // nothing: the journal was begun by this start
	Records       uint64        // replayed
	Bytes         int64         // of their groups
	Redelivered   uint64        // credits that had left one shard and not reached another
	SnapshotTook  time.Duration // to load the snapshot
	Took          time.Duration // all of it
	SnapshotPoint journal.Point // that was loaded
}

// The modes of a process in the record that it begins with.
const (
	startedSync     = 's'
	startedAsync    = 'a'
	startedAccepted = 0x80 // somebody accepted that votes were lost
)

// recover brings the shards to the state in which the process before left them, makes that durable again, and leaves the
// journal open. A first start begins the journal with the initial accounts.
func (s *store) recover() error {
	began := time.Now()
	n := s.node
	s.found.Folder = s.folder
	options, err := s.options()
	if err != nil {
		return err
	}
	options.Load = func(at journal.Point, content io.Reader) error {
		if s.loaded { // the newest one was damaged
			if err := n.makeCores(); err != nil {
				return err
			}
		}
		s.loaded = true
		defer func() { s.found.SnapshotTook = time.Since(began) }()
		return s.load(content)
	}
	j, err := journal.Open(s.fs, options, func(r journal.Record) error {
		if !s.loaded {
			return errors.New("the snapshot is missing with which the journal began; restore the folder from a copy that has it")
		}
		return s.replay(r)
	})
	if err != nil {
		return fmt.Errorf("node: %s: %w", s.folder, err)
	}
	s.journal = j
	r := j.Recovery()
	s.found.Records, s.found.Bytes, s.found.SnapshotPoint = r.Records, r.Bytes, r.Snapshot
	for _, damage := range r.Damaged {
		n.log.Warn("a damaged snapshot was passed over for the one before it", "error", damage)
	}
	if n.adding {
		return nil
	}
	if !s.fresh {
		err = checkAccounts(s.folder, n.Accounts, s.list)
	}
	if err == nil && !s.loaded {
		s.found.Begun = true
		err = s.begin()
	}
	if err == nil {
		err = s.startRecords()
	}
	s.found.Took = time.Since(began)
	return err
}

// options are those of the journal, with the identity that it has, or that it is begun with. The list of accounts is that
// of the identity until a snapshot or a record says more.
func (s *store) options() (journal.Options, error) {
	id, begun, err := journal.ReadIdentity(s.fs)
	if err != nil {
		return journal.Options{}, fmt.Errorf("node: %s: %w", s.folder, err)
	}
	if s.fresh = !begun; s.fresh {
		s.list, _ = listAccounts(s.node.Accounts, 0)
		id = s.node.identity(s.list)
	} else if list := fieldOf(id, fieldAccounts); !s.list.read(list) {
		return journal.Options{}, fmt.Errorf("node: %s: its identity has %q as %s", s.folder, list, fieldAccounts)
	}
	largest := authority.MaxRecordSize(s.node.Committee.Len()) + journal.RecordHeaderSize
	group := max(s.node.limits.group, (2*(largest+s.node.limits.flush)+journal.BlockSize-1)&^(journal.BlockSize-1))
	return journal.Options{Identity: id, SegmentSize: max(s.node.limits.segmentBytes, 2*int64(group)), GroupSize: group,
		LowSpace: s.node.limits.lowSpace, OnCommit: s.committed, OnTrouble: s.trouble}, nil
}

func (s *store) trouble(room int64, err error) {
	if errors.Is(err, journal.ErrLowSpace) {
		s.node.log.Warn("the disk is nearly full, and the node ends when it is", "folder", s.folder, "error", err)
		return
	}
	s.node.log.Error("the journal can't grow; the node ends when its room is used up", "folder", s.folder, "room", room,
		"error", err)
}

// begin writes the first snapshot: the initial accounts with which the journal was begun. That was now, or a process before
// was cut off before this snapshot was there, and so before any record.
func (s *store) begin() error {
	n := s.node
	m, err := authority.NewMerger(nil, n.Member.NumShards, n.shards)
	if err != nil {
		return err
	}
	err = n.loadAccounts(s.list.count, func(account *codec.Address, balance codec.Balance) error {
		return errors.Join(m.Fund(account, balance), n.fund(account, balance))
	})
	if err != nil {
		return err
	}
	return s.journal.WriteSnapshot(journal.Point{Segment: 1}, func(w io.Writer) error { return s.save(w, s.list, m) })
}

// A snapshot begins with the list of accounts that were funded: their number, u64, and the hash of the list; then comes
// what the core writes.

// save writes a snapshot.
func (s *store) save(w io.Writer, list accountsList, m *authority.Merger) error {
	if _, err := w.Write(list.append(nil)); err != nil {
		return err
	}
	return m.Write(w)
}

// load reads a snapshot into the shards, which are empty.
func (s *store) load(r io.Reader) error {
	var err error
	if s.list, err = readAccountsList(r); err != nil {
		return err
	}
	cores := make([]*authority.Shard, 0, len(s.node.shards))
	for _, number := range s.node.shards {
		cores = append(cores, s.node.byShard[number].shard(number).core)
	}
	return authority.Load(r, cores)
}

// recordList is the first byte of a record of this package's own, a list of funded accounts; those of the core's records
// are smaller.
const recordList = 0xf0

// replay applies a record.
func (s *store) replay(r journal.Record) error {
	if len(r.Data) > 0 && r.Data[0] == recordList {
		return s.list.parse(r.Data[1:])
	}
	w := s.node.byShard[min(int(r.Shard), len(s.node.byShard)-1)]
	if w == nil {
		return fmt.Errorf("node: a record of shard %d, which is not of this process", r.Shard)
	}
	return w.shard(int(r.Shard)).core.Replay(authority.Position(r.Position), r.Data)
}

// startRecords writes that a process begins, and applies the credits that had left one shard of this process and not
// reached another, before anything is answered.
func (s *store) startRecords() error {
	mode := byte(startedSync)
	if s.node.Durability == DurabilityAsync {
		mode = startedAsync
	}
	if s.node.AcceptLostVotes {
		mode |= startedAccepted
	}
	var b journal.Batch
	b.Add(uint32(s.node.shards[0]), authority.AppendStarted(nil, mode))
	if _, _, err := s.journal.Append(&b); err != nil {
		return err
	}
	if err := s.redeliver(); err != nil {
		return err
	}
	return s.journal.Commit()
}

// append appends the accounts' list in the form of parse.
func (l accountsList) append(dst []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(dst, l.count), l.hash[:]...)
}

const accountsListSize = 8 + len(accountsList{}.hash)

func (l *accountsList) parse(b []byte) error {
	if len(b) != accountsListSize {
		return fmt.Errorf("node: a list of accounts has %d bytes, expected %d", len(b), accountsListSize)
	}
	l.count = binary.LittleEndian.Uint64(b)
	copy(l.hash[:], b[8:])
	return nil
}

func readAccountsList(r io.Reader) (l accountsList, err error) {
	var b [accountsListSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return l, fmt.Errorf("node: snapshot: %w", err)
	}
	return l, l.parse(b[:])
}

// Recovery is what the start found on the disk; zero without a journal.
func (n *Node) Recovery() Recovery {
	if n.store == nil {
		return Recovery{}
	}
	return n.store.found
}
