package node

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// TestCreditsBetweenProcesses settles payments while the recipient's process is down, and once up sees each credit once.
func TestCreditsBetweenProcesses(t *testing.T) {
	const payments = 50
	w := newWorld(t, 4, 2, 24)
	n := w.start(w.durable(new(journal.MemFS), 0))
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	c := w.dial(0)
	for i := range payments / 2 {
		w.pay(c, from, to, 1, uint64(i))
	}
	w.start(w.durable(new(journal.MemFS), 1))
	for i := payments / 2; i < payments; i++ {
		w.pay(c, from, to, 1, uint64(i))
	}
	eventually(t, "credits", func() bool { return w.balance(to) == initialBalance+payments })
	w.pay(w.dial(1), to, from, 5, 0) // the other way
	eventually(t, "the credit back", func() bool { return w.balance(from) == initialBalance-payments+5 })
	eventually(t, "acknowledgements", func() bool { return n.Gauges().OutboxCredits == 0 })
	if g := n.Gauges(); g.Links != 1 || g.LinksUp != 1 || g.OutboxBytes != 0 {
		t.Errorf("gauges %+v", g)
	}
}

// TestCrossShardIsDropped sends credits to public ports, as siblings of the prototype do and anybody can: they are
// counted, nothing changes, and what else comes over the connection is answered.
func TestCrossShardIsDropped(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	partial, all := w.durable(new(journal.MemFS), 1), w.options()
	for name, o := range map[string]Options{"some shards": partial, "all shards": all} {
		n := w.start(o)
		to := w.accountIn(1, 0)
		forged := w.certificate(w.order(w.accountIn(0, 0), to, 500, 77))
		forged.Bytes()[len(forged.Bytes())-10] ^= 1
		c := w.dial(1)
		for _, cert := range []codec.Certificate{w.certificate(w.order(w.accountIn(0, 0), to, 7, 0)), forged} {
			c.send(codec.AppendCrossShard(nil, cert), codec.AppendCrossShard(nil, cert))
			c.receiveInfo(infoRequest(w, to), initialBalance)
		}
		u, err := net.Dial("udp", w.address(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(codec.AppendCrossShard(nil, forged)); err != nil {
			t.Fatal(err)
		}
		u.Close()
		eventually(t, name+": counted", func() bool { return n.Stats().CrossShardRefused == 5 })
		c.receiveInfo(infoRequest(w, to), initialBalance)
		w.stop(n)
	}
}

// heldFS is a file system whose syncs a test can hold back.
type heldFS struct {
	*journal.MemFS
	mu   sync.Mutex
	wait chan struct{} // nil when nothing is held
}

// hold lets no sync end until the returned function is called, and be called it must.
func (h *heldFS) hold() (free func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait := make(chan struct{})
	h.wait = wait
	return sync.OnceFunc(func() {
		h.mu.Lock()
		h.wait = nil
		h.mu.Unlock()
		close(wait)
	})
}

func (h *heldFS) await() {
	h.mu.Lock()
	wait := h.wait
	h.mu.Unlock()
	if wait != nil {
		<-wait
	}
}

type heldFile struct {
	journal.File
	fs *heldFS
}

func (f heldFile) Sync() error {
	f.fs.await()
	return f.File.Sync()
}

func (f heldFile) WriteSync(b []byte, at int64) error {
	f.fs.await()
	return f.File.WriteSync(b, at)
}

func (h *heldFS) Create(name string) (journal.File, error) {
	f, err := h.MemFS.Create(name)
	return heldFile{f, h}, err
}

func (h *heldFS) Open(name string) (journal.File, error) {
	f, err := h.MemFS.Open(name)
	return heldFile{f, h}, err
}

// held is durable, with a file system whose syncs can be held.
func (w *world) held(mem *journal.MemFS, shards ...int) (Options, *heldFS) {
	o, h := w.durable(mem, shards...), &heldFS{MemFS: mem}
	inner := o.openFS
	o.openFS = func(path string) (journal.FS, error) {
		fs, err := inner(path)
		if fs == journal.FS(mem) {
			fs = h
		}
		return fs, err
	}
	return o, h
}

// lost is what a crash leaves that keeps nothing that was not synced.
func lost(mem *journal.MemFS) *journal.MemFS { return mem.Crash(func() bool { return false }) }

// TestPayerCrashesBeforeItsCreditLeaves has a debit that is durable and a credit that nobody got: the payer's next process
// sends it.
func TestPayerCrashesBeforeItsCreditLeaves(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	mem := new(journal.MemFS)
	n := w.start(w.durable(mem, 0))
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	w.pay(w.dial(0), from, to, 7, 0)
	crashed := lost(mem)
	w.stop(n)
	w.start(w.durable(crashed, 0))
	w.start(w.durable(new(journal.MemFS), 1))
	eventually(t, "the credit", func() bool { return w.balance(to) == initialBalance+7 })
	w.pay(w.dial(0), from, to, 1, 1)
	eventually(t, "the next one", func() bool { return w.balance(to) == initialBalance+8 })
}

// TestNoCreditLeavesBeforeItsDebitIsDurable holds the payer's sync back: the payee gets nothing, and after a crash there
// was no payment. That holds too when replies don't wait.
func TestNoCreditLeavesBeforeItsDebitIsDurable(t *testing.T) {
	for _, durability := range []Durability{DurabilitySync, DurabilityAsync} {
		t.Run(string(durability), func(t *testing.T) {
			w := newWorld(t, 4, 2, 24)
			o, disk := w.held(new(journal.MemFS), 0)
			o.Durability, o.AcceptLostVotes = durability, true
			n := w.start(o)
			payee := w.start(w.durable(new(journal.MemFS), 1))
			from, to := w.accountIn(0, 0), w.accountIn(1, 0)
			eventually(t, "the links", func() bool { return payee.Gauges().LinksUp == 1 && n.Gauges().LinksUp == 1 })
			free := disk.hold()
			defer free()
			c := w.dial(0)
			c.send(codec.AppendCertificate(nil, w.certificate(w.order(from, to, 7, 0))))
			time.Sleep(100 * time.Millisecond)
			if w.balance(to) != initialBalance || payee.Stats().Credits != 0 {
				t.Error("a credit came whose debit is not durable")
			}
			crashed := lost(disk.MemFS)
			free()
			if m := c.receive(); m.Kind != codec.KindInfoResponse {
				t.Fatalf("answer %v", m.Error())
			}
			eventually(t, "the credit", func() bool { return w.balance(to) == initialBalance+7 })

			// That process is now taken to have crashed while it waited; the payee is a new one, too, for it has seen too much.
			w.stop(n)
			w.stop(payee)
			o = w.durable(crashed, 0)
			o.Durability, o.AcceptLostVotes = durability, true
			w.start(o)
			w.start(w.durable(new(journal.MemFS), 1))
			w.pay(w.dial(0), from, to, 9, 0) // the number is free
			eventually(t, "the other credit", func() bool { return w.balance(to) == initialBalance+9 })
		})
	}
}

// TestPayeeCrashesBeforeItsCreditIsDurable holds the payee's sync back: what it has applied is not acknowledged, is
// forgotten in a crash, and comes again.
func TestPayeeCrashesBeforeItsCreditIsDurable(t *testing.T) {
	const payments = 20
	w := newWorld(t, 4, 2, 24)
	payer := w.start(w.durable(new(journal.MemFS), 0))
	o, disk := w.held(new(journal.MemFS), 1)
	n := w.start(o)
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	c := w.dial(0)
	w.pay(c, from, to, 1, 0)
	eventually(t, "the first credit", func() bool { return payer.Gauges().OutboxCredits == 0 })
	free := disk.hold()
	defer free()
	for i := range payments {
		w.pay(c, from, to, 1, uint64(i)+1)
	}
	eventually(t, "credits that are applied", func() bool { return n.Stats().Credits > 1 })
	time.Sleep(50 * time.Millisecond)
	if got := payer.Gauges().OutboxCredits; got != payments {
		t.Errorf("%d credits are not acknowledged, expected all %d", got, payments)
	}
	crashed := lost(disk.MemFS)
	n.links.stop() // whatever it does from here on, nobody hears of it
	free()
	w.stop(n)
	w.start(w.durable(crashed, 1))
	eventually(t, "acknowledgements", func() bool { return payer.Gauges().OutboxCredits == 0 })
	if got := w.balance(to); got != initialBalance+payments+1 {
		t.Errorf("balance %d, expected %d", got, initialBalance+payments+1)
	}
}

// TestOutboxIsReadBack pays more than links keep in memory to a shard that is down, restarts the payer in between, and
// looks at every credit.
func TestOutboxIsReadBack(t *testing.T) {
	const payments = 4000 // 1.8 MB of certificates
	w := newWorld(t, 4, 3, 40)
	mem := new(journal.MemFS)
	o := w.durable(mem, 0, 2)
	n := w.start(o)
	from, to, other := w.accountIn(0, 0), w.accountIn(1, 0), w.accountIn(2, 0)
	pay := func(first int) {
		c := w.dial(0)
		var all [][]byte
		for i := first; i < first+payments/2; i++ {
			payee := to
			if i%4 == 0 {
				payee = other // others lie between them in the journal
			}
			all = append(all, codec.AppendCertificate(nil, w.certificate(w.order(from, payee, 1, uint64(i)))))
		}
		go func() { c.send(all...) }()
		for range all {
			if m := c.receive(); m.Kind != codec.KindInfoResponse {
				t.Fatal(m.Error())
			}
		}
	}
	pay(0)
	w.stop(n)
	n = w.start(o)
	pay(payments / 2)
	payee := w.start(w.durable(new(journal.MemFS), 1))
	eventually(t, "all credits", func() bool { return n.Gauges().OutboxCredits == 0 })
	if got := payee.Stats().Credits; got != payments/4*3 || n.Stats().OutboxFull == 0 {
		t.Errorf("%d credits, expected %d; %d read back", got, payments/4*3, n.Stats().OutboxFull)
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// TestSiblingsOfTwoAuthoritiesRefuse has another authority where a sibling should be.
func TestSiblingsOfTwoAuthoritiesRefuse(t *testing.T) {
	w, other := newWorld(t, 4, 2, 24), newWorld(t, 4, 2, 24)
	for i := range other.keys { // the same names, in another order
		other.keys[i], other.members[i].Name = w.keys[3-i], w.members[3-i].Name
	}
	other.members[0].BasePort = w.members[0].BasePort
	var err error
	if other.committee, err = committee.New(other.members); err != nil {
		t.Fatal(err)
	}
	var logged lockedBuffer
	o := w.durable(new(journal.MemFS), 0)
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	w.start(o)
	stranger := other.start(other.durable(new(journal.MemFS), 1))
	w.pay(w.dial(0), w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)
	eventually(t, "a refused link", func() bool { return stranger.Stats().LinksRefused > 0 })
	name := other.members[0].Name
	eventually(t, "its name in the log", func() bool { return strings.Contains(logged.text(), codec.FormatAddress(&name)) })
	if got := other.balance(w.accountIn(1, 0)); got != initialBalance {
		t.Errorf("balance %d at another authority", got)
	}
}

// TestConnectionsThatBeginSlowly send their first bytes one by one: a frame is a frame, and TLS is TLS.
func TestConnectionsThatBeginSlowly(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.start(w.durable(new(journal.MemFS), 0))
	slowly := func(c *client, bytes []byte) {
		t.Helper()
		for i := range bytes {
			if _, err := c.Write(bytes[i : i+1]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	c := w.dial(0)
	slowly(c, frame(infoRequest(w, w.accountIn(0, 0))))
	if m := c.receive(); m.Kind != codec.KindInfoResponse {
		t.Error(m.Error())
	}
	c = w.dial(0)
	slowly(c, []byte{22, 3, 1, 0, 5, 1, 0, 0, 1, 0})
	if m, err := c.tryReceive(patience); err == nil || isTimeout(err) {
		t.Errorf("%+v, %v", m, err)
	}
	if s := n.Stats(); s.LinksRefused != 1 || s.Oversized != 0 {
		t.Errorf("%d links refused, %d frames too long", s.LinksRefused, s.Oversized)
	}
	c = w.dial(0)
	slowly(c, []byte{22, 3, 9, 9, 9}) // a length beyond the limit, that may be TLS up to here
	slowly(c, []byte{0})
	if m, err := c.tryReceive(patience); err == nil || isTimeout(err) {
		t.Errorf("%+v, %v", m, err)
	}
	eventually(t, "a frame that is too long", func() bool { return n.Stats().Oversized == 1 })
}
