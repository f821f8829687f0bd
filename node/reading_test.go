package node

import (
	"bytes"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// readBack lets a loopless worker's librarian finish the first n replies that it has.
func (w *worker) readBack(n int) {
	for range n {
		buf := <-w.library.queue
		w.library.finish(buf)
		w.library.finished = append(w.library.finished, buf)
	}
	w.takeFetched()
}

// turn works a batch off and makes it durable.
func (w *worker) turn(t *testing.T) {
	t.Helper()
	w.work()
	if err := w.node.store.journal.Commit(); err != nil {
		t.Fatal(err)
	}
	w.release()
}

func certificateRequest(w *world, account int, sequence uint64) []byte {
	return codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: w.accounts[account].Public(), HasSequence: true, Sequence: sequence})
}

// TestLaterRepliesWaitForOneThatIsRead asks for certificates between other things: the replies of the connection keep their
// order, and another connection is not held up.
func TestLaterRepliesWaitForOneThatIsRead(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.durable(new(journal.MemFS)))
	defer n.store.close()
	worker := n.workers[0]
	s, other := worker.open(t), worker.open(t)
	certs := []codec.Certificate{w.certificate(w.order(0, 1, 7, 0)), w.certificate(w.order(0, 1, 8, 1))}
	for _, c := range certs {
		s.feed(frame(codec.AppendCertificate(nil, c)))
	}
	worker.turn(t)
	s.replies()

	// in the batch that made it, before it and after it
	third := w.certificate(w.order(0, 1, 9, 2))
	s.feed(frame(infoRequest(w, 1)), frame(certificateRequest(w, 0, 1)), frame(codec.AppendCertificate(nil, third)),
		frame(certificateRequest(w, 0, 2)), frame(infoRequest(w, 0)))
	other.feed(frame(infoRequest(w, 0)))
	worker.turn(t)
	if got := s.replies(); len(got) != 1 || got[0].InfoResponse().Account != w.accounts[1].Public() {
		t.Fatalf("%d replies left before a certificate was read", len(got))
	}
	if len(other.replies()) != 1 {
		t.Fatal("another connection waits")
	}
	s.feed(frame(infoRequest(w, 2))) // in a later batch
	worker.turn(t)
	worker.readBack(1)
	got := s.replies()
	if len(got) != 2 || !bytes.Equal(got[0].InfoResponse().Certificate.Bytes(), certs[1].Bytes()) {
		t.Fatalf("%d replies, wanted the certificate and the confirmation behind it", len(got))
	}
	worker.readBack(1)
	got = s.replies()
	if len(got) != 3 || !bytes.Equal(got[0].InfoResponse().Certificate.Bytes(), third.Bytes()) ||
		got[1].InfoResponse().NextSequenceNumber != 3 || got[2].InfoResponse().Account != w.accounts[2].Public() {
		t.Fatalf("%d replies, wanted the certificate and two more", len(got))
	}
	if worker.library.pending != 0 || s.conn().waitingBytes != 0 {
		t.Errorf("%d replies and %d bytes are counted as waiting", worker.library.pending, s.conn().waitingBytes)
	}
}

// TestFullLibraryHoldsConnections asks for more certificates than are read at a time: the connection waits, with what it
// sends on, and goes on when there is room.
func TestFullLibraryHoldsConnections(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.durable(new(journal.MemFS))
	o.limits.fetches = 4
	n := w.loopless(o)
	defer n.store.close()
	worker := n.workers[0]
	s := worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(0, 1, 7, 0)))))
	worker.turn(t)
	s.replies()
	for range 10 {
		s.feed(frame(certificateRequest(w, 0, 0)))
	}
	s.feed(frame(infoRequest(w, 1)))
	worker.turn(t)
	if !s.conn().holding || worker.library.pending != 4 {
		t.Fatalf("holding %v, %d are read", s.conn().holding, worker.library.pending)
	}
	total := 0
	for rounds := 0; total < 11; rounds++ {
		if rounds > 10 {
			t.Fatalf("only %d replies", total)
		}
		worker.readBack(len(worker.library.queue))
		worker.turn(t)
		got := s.replies()
		for _, m := range got {
			if total++; (total == 11) == (m.InfoResponse().Certificate.Bytes() != nil) {
				t.Fatalf("reply %d: certificate %v", total, m.InfoResponse().Certificate.Bytes() != nil)
			}
		}
	}
	if s.conn().holding || worker.holders.Load() != 0 {
		t.Error("still held")
	}
	if n.workers[0].stats.readsFull.Load() == 0 {
		t.Error("not counted")
	}
}

// TestClosedConnectionLeavesTheLibrary closes a connection while a reply is read, and before its batch is durable.
func TestClosedConnectionLeavesTheLibrary(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.durable(new(journal.MemFS)))
	defer n.store.close()
	worker := n.workers[0]
	s, early := worker.open(t), worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(0, 1, 7, 0)))))
	worker.turn(t)
	s.replies()
	s.feed(frame(certificateRequest(w, 0, 0)), frame(infoRequest(w, 1)))
	early.feed(frame(certificateRequest(w, 0, 0)))
	worker.work()
	_ = socketLoop{}.Close(early)
	worker.turn(t)
	_ = socketLoop{}.Close(s)
	worker.readBack(len(worker.library.queue))
	if worker.library.pending != 0 || len(s.written) != 0 {
		t.Errorf("%d replies are counted as waiting, %d bytes were written", worker.library.pending, len(s.written))
	}
}

// TestDamagedCertificateIsNotFound damages a settled certificate on the disk.
func TestDamagedCertificateIsNotFound(t *testing.T) {
	w, mem := newWorld(t, 4, 1, 3), new(journal.MemFS)
	n := w.loopless(w.durable(mem))
	defer n.store.close()
	worker := n.workers[0]
	s := worker.open(t)
	cert := w.certificate(w.order(0, 1, 7, 0))
	s.feed(frame(codec.AppendCertificate(nil, cert)))
	worker.turn(t)
	s.replies()
	damage(t, mem, cert.Order().Signature()[:])
	s.feed(frame(certificateRequest(w, 0, 0)), frame(infoRequest(w, 0)))
	worker.turn(t)
	worker.readBack(1)
	got := s.replies()
	if len(got) != 2 || worker.stats.readErrors.Load() != 1 {
		t.Fatalf("%d replies", len(got))
	}
	wantError(t, got[0], codec.CertificateNotfound)
}

// damage flips a bit of these bytes in a file of the journal.
func damage(t *testing.T, mem *journal.MemFS, what []byte) {
	t.Helper()
	names, err := mem.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := mem.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		size, _ := f.Size()
		content := make([]byte, size)
		_, _ = f.ReadAt(content, 0)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(content, what)
		if at < 0 {
			continue
		}
		content[at] ^= 1
		g, err := mem.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.WriteAt(content, 0); err != nil || g.Sync() != nil || g.Close() != nil || mem.SyncDir() != nil {
			t.Fatal("the damage was not done")
		}
		return
	}
	t.Fatal("what is to be damaged is in no file")
}
