package client

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/committee"
)

// world is a committee of real authority cores in this process.
type world struct {
	committee   *committee.Committee
	authorities []*fakeAuthority
}

// fakeAuthority is one authority without a node around it. Its behavior decides what becomes of a request.
type fakeAuthority struct {
	mu       sync.Mutex
	index    int
	key      *crypto.PrivateKey
	shards   []*authority.Shard
	world    *world
	behavior behavior

	reader   *authority.Reader
	credits  []credit // kept back while hold is set
	hold     bool
	requests int
}

// credit is on its way between two shards.
type credit struct {
	number uint64
	cert   codec.Certificate
}

// behavior answers a request, given what an honest authority would answer; nil is silence.
type behavior func(a *fakeAuthority, request *codec.Message, honest func() []byte) []byte

func honest(_ *fakeAuthority, _ *codec.Message, answer func() []byte) []byte { return answer() }

func silent(*fakeAuthority, *codec.Message, func() []byte) []byte { return nil }

// deaf loses requests, mute loses answers after acting on requests.
func mute(_ *fakeAuthority, _ *codec.Message, answer func() []byte) []byte { answer(); return nil }

func refuses(code codec.ErrorCode) behavior {
	return func(*fakeAuthority, *codec.Message, func() []byte) []byte {
		return codec.AppendError(nil, &codec.Error{Code: code})
	}
}

func garbage(*fakeAuthority, *codec.Message, func() []byte) []byte { return []byte("garbage") }

// badVotes signs something else.
func badVotes(_ *fakeAuthority, _ *codec.Message, answer func() []byte) []byte {
	reply := answer()
	if v := pendingVote(reply); !v.IsZero() {
		v.Signature()[3] ^= 1
	}
	return reply
}

// otherVotes votes in the name of authority 0.
func otherVotes(a *fakeAuthority, _ *codec.Message, answer func() []byte) []byte {
	reply := answer()
	if v := pendingVote(reply); !v.IsZero() {
		*v.Authority() = a.world.authorities[0].key.Public()
	}
	return reply
}

// oldVotes votes for another order of the account.
func oldVotes(a *fakeAuthority, request *codec.Message, answer func() []byte) []byte {
	if request.Kind != codec.KindOrder {
		return answer()
	}
	t := request.Order().Transfer()
	t.Amount++
	var s crypto.Signature
	a.key.Sign(&s, t.AppendSignedBytes(nil))
	name := a.key.Public()
	vote := codec.NewVote(codec.NewOrder(&t, request.Order().Signature()), &name, &s)
	return codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: t.Sender, Pending: vote})
}

// otherAccount answers about somebody else.
func otherAccount(_ *fakeAuthority, _ *codec.Message, answer func() []byte) []byte {
	reply := answer()
	var m codec.Message
	if m.Decode(reply) && m.Kind == codec.KindInfoResponse {
		reply[4] ^= 1
	}
	return reply
}

// boasts claims a million payments.
func boasts(_ *fakeAuthority, request *codec.Message, answer func() []byte) []byte {
	if request.Kind != codec.KindInfoRequest || request.InfoRequest().HasSequence {
		return answer()
	}
	r := codec.InfoResponse{Account: request.InfoRequest().Account, NextSequenceNumber: 1_000_000}
	return codec.AppendInfoResponse(nil, &r)
}

// forgets says that all earlier payments are missing, again and again.
func forgets(_ *fakeAuthority, request *codec.Message, answer func() []byte) []byte {
	if request.Kind == codec.KindCertificate {
		return codec.AppendError(nil, &codec.Error{Code: codec.MissingEalierConfirmations})
	}
	return answer()
}

func pendingVote(reply []byte) codec.Vote {
	var m codec.Message
	if !m.Decode(reply) || m.Kind != codec.KindInfoResponse {
		return codec.Vote{}
	}
	return m.InfoResponse().Pending
}

const worldShards = 2

func newWorld(t testing.TB, n int) *world {
	members := make([]committee.Member, n)
	for i := range members {
		members[i] = committee.Member{Name: authorityKey(i).Public(), Weight: 1, Protocol: committee.TCP, Host: "127.0.0.1",
			BasePort: 1000 + 100*i, NumShards: worldShards}
	}
	return newWorldOf(t, members)
}

func newWorldOf(t testing.TB, members []committee.Member) *world {
	t.Helper()
	c, err := committee.New(members)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{committee: c}
	for i := range members {
		a := &fakeAuthority{index: i, key: authorityKey(i), world: w, behavior: honest}
		a.start(t)
		w.authorities = append(w.authorities, a)
	}
	return w
}

func authorityKey(i int) *crypto.PrivateKey { return crypto.NewPrivateKey(&[32]byte{'a', byte(i)}) }

// start gives the authority empty shards; a second time, it loses all it knew.
func (a *fakeAuthority) start(t testing.TB) {
	t.Helper()
	a.shards = nil
	n := a.world.committee.Member(a.index).NumShards
	ring, err := authority.NewRing(4<<20, a.world.committee)
	if err != nil {
		t.Fatal(err)
	}
	a.reader = authority.NewReader(a.world.committee, codec.DefaultMaxMessage, ring.Read)
	for i := range n {
		s, err := authority.New(authority.Options{Committee: a.world.committee, Name: a.key.Public(), Shard: i, NumShards: n,
			Log: ring})
		if err != nil {
			t.Fatal(err)
		}
		a.shards = append(a.shards, s)
	}
}

func (a *fakeAuthority) set(b behavior) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.behavior = b
}

func (a *fakeAuthority) shard(account *codec.Address) *authority.Shard {
	return a.shards[committee.ShardOf(account, len(a.shards))]
}

func (w *world) fund(t testing.TB, account codec.Address, amount uint64) {
	t.Helper()
	for _, a := range w.authorities {
		a.mu.Lock()
		err := a.shard(&account).Fund(&account, codec.NewBalance(amount))
		a.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) balance(i int, account codec.Address) string {
	a := w.authorities[i]
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.shard(&account).Balance(&account)
	if !ok {
		return "unknown"
	}
	return b.String()
}

// handle is the authority's answer to a message, nil when it gives none.
func (a *fakeAuthority) handle(message []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	var m codec.Message
	if !m.Decode(message) {
		return codec.AppendError(nil, &codec.Error{Code: codec.InvalidDecoding})
	}
	return a.behavior(a, &m, func() []byte { return a.answer(&m) })
}

func (a *fakeAuthority) answer(m *codec.Message) []byte {
	refuse := func(err *codec.Error) []byte { return codec.AppendError(nil, err) }
	switch m.Kind {
	case codec.KindInfoRequest:
		return a.info(m.InfoRequest())
	case codec.KindOrder:
		o := m.Order()
		s := a.shard(o.Sender())
		if err := a.world.committee.CheckOrder(o); err != nil {
			return refuse(err)
		}
		out := s.Order(nil, o)
		var signatures []crypto.Signature
		if out.NewVote {
			signatures = make([]crypto.Signature, 1)
			a.key.Sign(&signatures[0], o.AppendSignedBytes(nil))
			copy(out.Reply[out.VoteAt:], signatures[0][:])
		}
		s.Signed(signatures)
		return out.Reply
	case codec.KindCertificate:
		c := m.Certificate()
		if err := a.world.committee.CheckCertificate(c); err != nil {
			return refuse(err)
		}
		out := a.shard(c.Order().Sender()).Certificate(nil, c)
		if out.CreditTo >= 0 {
			a.credits = append(a.credits, credit{out.CreditNumber, copyCertificate(c)})
			if !a.hold {
				a.releaseCredits()
			}
		}
		return out.Reply
	}
	return refuse(&codec.Error{Code: codec.UnexpectedMessage})
}

func (a *fakeAuthority) info(q *codec.InfoRequest) []byte {
	out, fetch := a.shard(&q.Account).Info(nil, q, 2048)
	if !fetch.Wanted() {
		return out.Reply
	}
	reply, _, err := a.reader.Finish(out.Reply, &fetch)
	if err != nil {
		panic(err)
	}
	return reply
}

func (a *fakeAuthority) releaseCredits() {
	for _, c := range a.credits {
		o := c.cert.Order()
		from := committee.ShardOf(o.Sender(), len(a.shards))
		if err := a.shard(o.Recipient()).Credit(from, c.number, 0, c.cert); err != nil {
			panic(err)
		}
	}
	a.credits = nil
}

// pay makes a payment known to the authorities given, and returns its certificate.
func (w *world) pay(t testing.TB, from *crypto.PrivateKey, to codec.Address, amount, number uint64, at ...int) codec.Certificate {
	t.Helper()
	c := w.certificate(testOrder(from, to, amount, number))
	for _, i := range at {
		var m codec.Message
		if !m.Decode(codec.AppendCertificate(nil, c)) {
			t.Fatal("certificate does not decode")
		}
		w.authorities[i].mu.Lock()
		reply := w.authorities[i].answer(&m)
		w.authorities[i].mu.Unlock()
		if !isAnswer(reply, c.Order().Sender()) || codec.Kind(reply[0]) != codec.KindInfoResponse {
			t.Fatalf("authority %d refused certificate %d", i, number)
		}
	}
	return c
}

// certificate has a quorum's votes.
func (w *world) certificate(o codec.Order) codec.Certificate {
	var votes []codec.VoteEntry
	weight := uint64(0)
	for i, a := range w.authorities {
		if weight >= w.committee.Quorum() {
			break
		}
		v := codec.VoteEntry{Authority: a.key.Public()}
		a.key.Sign(&v.Signature, o.AppendSignedBytes(nil))
		votes = append(votes, v)
		weight += w.committee.Member(i).Weight
	}
	return codec.NewCertificate(o, votes)
}

// Exchange makes the world a network without sockets. Silence lasts until ctx ends or the time-out.
func (w *world) Exchange(ctx context.Context, i int, _ *codec.Address, message []byte) ([]byte, error) {
	reply := w.authorities[i].handle(message)
	if reply != nil {
		return reply, nil
	}
	if !sleep(ctx, worldTimeout) {
		return nil, ctx.Err()
	}
	return nil, ioError(errTimeout)
}

const worldTimeout = 10 * time.Second

// client makes a client with a wallet of its own, which holds accounts with keys 1..n and 100 each; all authorities know
// them too if fund is set.
func (w *world) client(t testing.TB, accounts int, fund bool) (*Client, []*Account) {
	t.Helper()
	return w.clientAt(t, filepath.Join(t.TempDir(), "accounts.json"), accounts, fund)
}

func (w *world) clientAt(t testing.TB, path string, accounts int, fund bool) (*Client, []*Account) {
	t.Helper()
	wallet := openWallet(t, path)
	list := make([]*Account, accounts)
	for i := range list {
		key := testKey(byte(i + 1))
		address := key.Public()
		if list[i] = wallet.Account(&address); list[i] == nil {
			var err error
			if list[i], err = wallet.Add(key, codec.NewBalance(100)); err != nil {
				t.Fatal(err)
			}
		}
		if fund {
			w.fund(t, address, 100)
		}
	}
	if err := wallet.Save(); err != nil {
		t.Fatal(err)
	}
	return newClient(Options{Committee: w.committee, Wallet: wallet, CatchUp: 100 * time.Millisecond}, w, func() {}), list
}

func (w *world) certifies(t testing.TB, c codec.Certificate) {
	t.Helper()
	if c.IsZero() {
		t.Fatal("no certificate")
	}
	if err := w.committee.CheckCertificate(c); err != nil {
		t.Fatalf("certificate: %v", err)
	}
}

// describe is a request in words.
func describe(r *Request) string {
	var m codec.Message
	m.Decode(r.Message)
	switch m.Kind {
	case codec.KindOrder:
		return fmt.Sprintf("order %d to %d", m.Order().SequenceNumber(), r.Authority)
	case codec.KindCertificate:
		return fmt.Sprintf("certificate %d to %d", m.Certificate().Order().SequenceNumber(), r.Authority)
	}
	switch q := m.InfoRequest(); {
	case q.HasSequence:
		return fmt.Sprintf("certificate %d? to %d", q.Sequence, r.Authority)
	case q.HasReceived:
		return fmt.Sprintf("received after %d? to %d", q.ReceivedAfter, r.Authority)
	}
	return fmt.Sprintf("state? to %d", r.Authority)
}
