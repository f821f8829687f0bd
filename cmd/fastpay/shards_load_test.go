package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/audit"
)

// shardLoad pays between all accounts of a shardWorld until it is told to stop: for each shard a connection with many
// payments under way. A payment whose answer did not come is sent again over the next connection, so that all are settled
// in the end, and each exactly once.
type shardLoad struct {
	w       *shardWorld
	stop    chan struct{}
	running sync.WaitGroup
	payees  []int // shards that are paid
	settled [worldShards]atomic.Uint64

	mu       sync.Mutex
	expected map[codec.Address]int64 // balances once all is settled
	failure  error
}

// shardWindow is how many payments of a shard are under way.
const shardWindow = 64

// pay begins to pay from accounts of some shards to accounts of others.
func (w *shardWorld) pay(payers, payees []int) *shardLoad {
	l := &shardLoad{w: w, stop: make(chan struct{}), payees: payees, expected: make(map[codec.Address]int64)}
	for _, accounts := range w.accounts {
		for _, key := range accounts {
			l.expected[key.Public()] = worldBalance
		}
	}
	l.resume(payers, payees)
	return l
}

var allShards = []int{0, 1, 2, 3}

// resume goes on after finish.
func (l *shardLoad) resume(payers, payees []int) {
	l.stop, l.payees = make(chan struct{}), payees
	for _, shard := range payers {
		p := l.payer(shard)
		l.running.Go(func() { l.fail(p.run()) })
	}
}

func (l *shardLoad) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = err
	}
}

// payments is how many are settled.
func (l *shardLoad) payments() (n uint64) {
	for s := range l.settled {
		n += l.settled[s].Load()
	}
	return n
}

// everyShardPays waits until each shard has settled n payments more, so that none is cut off again before it was back.
func (l *shardLoad) everyShardPays(n uint64) bool {
	var goal [worldShards]uint64
	for s := range goal {
		goal[s] = l.settled[s].Load() + n
	}
	return l.w.patiently(func() bool {
		for s := range goal {
			if l.settled[s].Load() < goal[s] {
				return false
			}
		}
		return true
	})
}

// finish waits until all payments that were begun are settled.
func (l *shardLoad) finish() {
	l.w.t.Helper()
	close(l.stop)
	l.running.Wait()
	if l.failure != nil {
		l.w.t.Fatal(l.failure)
	}
}

// payer pays from the accounts of one shard.
type payer struct {
	l      *shardLoad
	shard  int
	random *rand.Rand
	next   []uint64 // sequence numbers of its accounts
	unsent [][]byte // frames that were not answered on an earlier connection
	flying [][]byte // frames without an answer, in order
}

// sequences survive a pause, since accounts do.
func (l *shardLoad) payer(shard int) *payer {
	p := &payer{l: l, shard: shard, random: rand.New(rand.NewPCG(uint64(shard), l.payments()))}
	p.next = l.w.sequences(shard)
	return p
}

// sequences are the next sequence numbers of a shard's accounts; the caller updates them.
func (w *shardWorld) sequences(shard int) []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next[shard] == nil {
		w.next[shard] = make([]uint64, len(w.accounts[shard]))
	}
	return w.next[shard]
}

func (p *payer) run() error {
	lastProgress := p.l.w.awake.now()
	for {
		before := p.l.settled[p.shard].Load()
		done, err := p.session()
		if done || isProtocol(err) {
			return err
		}
		if p.l.settled[p.shard].Load() != before {
			lastProgress = p.l.w.awake.now()
		}
		if p.l.w.awake.now()-lastProgress > worldPatience {
			return fmt.Errorf("shard %d settles nothing: %w", p.shard, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// protocolError is an answer that there should not be.
type protocolError struct{ text string }

func (e *protocolError) Error() string { return e.text }

func isProtocol(err error) bool { _, ok := err.(*protocolError); return ok }

// session pays over one connection. It is done when it was told to stop and nothing is under way.
func (p *payer) session() (done bool, err error) {
	p.unsent, p.flying = p.flying, nil
	c, err := p.l.w.host(p.shard).dial(p.l.w.address(p.shard))
	if err != nil {
		p.flying = p.unsent
		return false, err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	stopped := false
	for {
		select {
		case <-p.l.stop:
			stopped = true
		default:
		}
		for len(p.flying) < shardWindow && (!stopped || len(p.unsent) > 0) {
			frame := p.frame()
			p.flying = append(p.flying, frame)
			if _, err := c.Write(frame); err != nil {
				p.flying = append(p.flying, p.unsent...)
				return false, err
			}
		}
		if len(p.flying) == 0 {
			return true, nil
		}
		if err := p.answer(c, in); err != nil {
			p.flying = append(p.flying, p.unsent...)
			return false, err
		}
	}
}

// frame is the next payment to send: one that has to be sent again, or a new one.
func (p *payer) frame() []byte {
	if len(p.unsent) > 0 {
		f := p.unsent[0]
		p.unsent = p.unsent[1:]
		return f
	}
	w := p.l.w
	i := p.random.IntN(len(w.accounts[p.shard]))
	payees := w.accounts[p.l.payees[p.random.IntN(len(p.l.payees))]]
	payer, payee := w.accounts[p.shard][i], payees[p.random.IntN(len(payees))].Public()
	amount := 1 + p.random.Uint64N(3)
	cert := w.certify(payer, &codec.Transfer{Sender: payer.Public(), Amount: amount, SequenceNumber: p.next[i],
		Recipient: codec.Recipient{Kind: codec.FastPay, Address: payee}})
	p.next[i]++
	p.l.mu.Lock()
	p.l.expected[payer.Public()] -= int64(amount)
	p.l.expected[payee] += int64(amount)
	p.l.mu.Unlock()
	f := codec.AppendCertificate(codec.BeginFrame(nil), cert)
	codec.EndFrame(f, 0)
	return f
}

// certify has the votes of all but the authority that is tried.
func (w *shardWorld) certify(payer *crypto.PrivateKey, tr *codec.Transfer) codec.Certificate {
	message := tr.AppendSignedBytes(nil)
	var sig crypto.Signature
	payer.Sign(&sig, message)
	votes := make([]codec.VoteEntry, 3)
	for i := range votes {
		votes[i].Authority = w.keys[i+1].Public()
		w.keys[i+1].Sign(&votes[i].Signature, message)
	}
	return codec.NewCertificate(codec.NewOrder(tr, &sig), votes)
}

// shardReadTimeout ends a connection to a shard that does not answer: it may be cut off.
const shardReadTimeout = 2 * time.Second

func (p *payer) answer(c net.Conn, in *bufio.Reader) error {
	_ = c.SetReadDeadline(time.Now().Add(shardReadTimeout))
	m, err := readMessage(in)
	if err != nil {
		return err
	}
	if m.Kind != codec.KindInfoResponse {
		return &protocolError{fmt.Sprintf("shard %d answers a payment: %v", p.shard, m.Error())}
	}
	p.flying = p.flying[1:]
	p.l.settled[p.shard].Add(1)
	return nil
}

func readMessage(in io.Reader) (*codec.Message, error) {
	var header [codec.FrameHeaderSize]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.LittleEndian.Uint32(header[:]))
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	m := new(codec.Message)
	if !m.Decode(b) {
		return nil, &protocolError{"an answer does not decode"}
	}
	return m, nil
}

// balances asks a shard for the balances of its accounts.
func (w *shardWorld) balances(shard int) (map[codec.Address]int64, error) {
	c, err := w.host(shard).dial(w.address(shard))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(shardReadTimeout))
	found := make(map[codec.Address]int64)
	for _, key := range w.accounts[shard] {
		frame := codec.AppendInfoRequest(codec.BeginFrame(nil), &codec.InfoRequest{Account: key.Public()})
		codec.EndFrame(frame, 0)
		if _, err := c.Write(frame); err != nil {
			return nil, err
		}
		m, err := readMessage(c)
		if err != nil {
			return nil, err
		}
		if m.Kind != codec.KindInfoResponse {
			return nil, m.Error()
		}
		found[key.Public()] = m.InfoResponse().Balance.Big().Int64()
	}
	return found, nil
}

// wrong lists the accounts whose balance is not what it must be.
func (l *shardLoad) wrong() (text []string) {
	for shard := range worldShards {
		found, err := l.w.balances(shard)
		if err != nil {
			return []string{fmt.Sprintf("shard %d: %v", shard, err)}
		}
		for name, balance := range found {
			if want := l.expected[name]; balance != want {
				text = append(text, fmt.Sprintf("shard %d: %s has %d, expected %d", shard, codec.FormatAddress(&name), balance, want))
			}
		}
	}
	return text
}

// conserved waits until every account has what it must have, and looks again after a while: nothing may come twice.
func (l *shardLoad) conserved() {
	l.w.t.Helper()
	began := time.Now()
	var wrong []string
	l.w.patiently(func() bool {
		wrong = l.wrong()
		return len(wrong) == 0
	})
	took := time.Since(began)
	if len(wrong) == 0 {
		time.Sleep(300 * time.Millisecond)
		wrong = l.wrong()
	}
	if len(wrong) > 0 {
		l.w.t.Fatalf("after %v, of %d payments: %d accounts are wrong, such as %s", took, l.payments(), len(wrong), wrong[0])
	}
	l.w.t.Logf("%d payments, all credits in place %v after the last", l.payments(), took.Round(time.Millisecond))
}

// audited stops all shards, and lets their journals be verified: every signature, all books, what one shard sent and another
// has, and the sum of all money.
func (l *shardLoad) audited() {
	w := l.w
	w.t.Helper()
	for s := range worldShards {
		if p := w.signal(s, syscall.SIGTERM); p.err != nil {
			w.t.Errorf("shard %d: %v", s, p.err)
		}
	}
	members, err := readCommittee(filepath.Join(w.dir, "committee.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	accounts, err := readInitialAccounts(filepath.Join(w.dir, "accounts.txt"))
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := audit.Audit(w.t.Context(), filepath.Join(w.dir, "data"), audit.Options{Verify: true, Committee: members, Accounts: accounts.all()})
	if err != nil {
		w.t.Fatal(err)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		w.t.Fatal(err)
	}
	put := fmt.Sprint(worldShards * accountsPerShard * worldBalance)
	if !r.OK() || len(r.Journals) != worldShards || len(r.Totals) != 1 || r.Totals[0].Accounts != put {
		w.t.Errorf("the journals are not right:\n%s", text.String())
	}
}
