package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf/leaks"
)

// The event loop library keeps a pool of idle goroutines for the life of the process.
func TestMain(m *testing.M) {
	os.Exit(leaks.Checked(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock")).Run())
}

// world is a committee of four whose keys the test holds, and accounts.
type world struct {
	t         testing.TB
	committee *committee.Committee
	keys      []*crypto.PrivateKey
	members   []committee.Member
	accounts  []*crypto.PrivateKey
}

const initialBalance = 1000

func key(kind byte, i int) *crypto.PrivateKey {
	seed := [32]byte{kind}
	binary.LittleEndian.PutUint64(seed[1:], uint64(i))
	return crypto.NewPrivateKey(&seed)
}

// newWorld makes a committee of n with free ports for member 0.
func newWorld(t testing.TB, n, shards, accounts int) *world {
	// Another process of tests has other keys: each is claimed on the whole machine.
	return newWorldOf(t, os.Getpid(), n, shards, accounts, freePorts(t, shards))
}

// newWorldOf makes the world that keys, a number, and the other arguments say.
func newWorldOf(t testing.TB, keys, n, shards, accounts, port int) *world {
	w := &world{t: t}
	for i := range n {
		k := key('a', i+keys<<8)
		w.keys = append(w.keys, k)
		m := committee.Member{Name: k.Public(), Weight: 1, Protocol: committee.TCP, Host: "127.0.0.1",
			BasePort: 1 + 200*i, NumShards: shards}
		if i == 0 {
			m.BasePort = port
		}
		w.members = append(w.members, m)
	}
	var err error
	if w.committee, err = committee.New(w.members); err != nil {
		t.Fatal(err)
	}
	for i := range accounts {
		w.accounts = append(w.accounts, key('u', i))
	}
	return w
}

// freePorts finds n ports in a row that nobody has, TCP and UDP.
func freePorts(t testing.TB, n int) int {
next:
	for range 100 {
		base := 20_000 + rand.IntN(12_000)
		for i := range n {
			if ProbePort("127.0.0.1", base+i) != nil || ProbePort("", base+i) != nil {
				continue next
			}
		}
		return base
	}
	t.Fatal("no free ports")
	return 0
}

func (w *world) options(shards ...int) Options {
	return Options{
		Committee: w.committee, Member: w.members[0], Key: w.keys[0], Shards: shards, BindHost: "127.0.0.1",
		Logger: slog.New(slog.DiscardHandler),
		Accounts: func(yield func(codec.Address, codec.Balance) bool) {
			for _, k := range w.accounts {
				if !yield(k.Public(), codec.NewBalance(initialBalance)) {
					return
				}
			}
		},
	}
}

// start runs the authority, or some shards of it, until the test ends.
func (w *world) start(o Options) *Node {
	w.t.Helper()
	n, err := Start(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.stop(n) })
	return n
}

func (w *world) stop(n *Node) {
	if err := n.Stop(context.Background()); err != nil {
		w.t.Errorf("stop: %v", err)
	}
}

// order signs a payment between two accounts, by index.
func (w *world) order(from, to int, amount, sequence uint64) codec.Order {
	k := w.accounts[from]
	tr := codec.Transfer{Sender: k.Public(), Amount: amount, SequenceNumber: sequence,
		Recipient: codec.Recipient{Kind: codec.FastPay, Address: w.accounts[to].Public()}}
	return w.sign(from, &tr)
}

// sign signs a transfer with the key of an account.
func (w *world) sign(account int, tr *codec.Transfer) codec.Order {
	var sig crypto.Signature
	w.accounts[account].Sign(&sig, tr.AppendSignedBytes(nil))
	return codec.NewOrder(tr, &sig)
}

// certificate has the votes of a quorum, none by member 0.
func (w *world) certificate(o codec.Order) codec.Certificate {
	var votes []codec.VoteEntry
	for i := 1; uint64(len(votes)) < w.committee.Quorum(); i++ {
		v := codec.VoteEntry{Authority: w.members[i].Name}
		w.keys[i].Sign(&v.Signature, o.AppendSignedBytes(nil))
		votes = append(votes, v)
	}
	return codec.NewCertificate(o, votes)
}

func (w *world) shardOf(account int) int {
	a := w.accounts[account].Public()
	return committee.ShardOf(&a, w.members[0].NumShards)
}

// accountIn finds the nth account of a shard.
func (w *world) accountIn(shard, nth int) int {
	for i := range w.accounts {
		if w.shardOf(i) == shard {
			if nth--; nth < 0 {
				return i
			}
		}
	}
	w.t.Fatalf("too few accounts for shard %d", shard)
	return 0
}

// dial connects to a shard.
func (w *world) dial(shard int) *client {
	w.t.Helper()
	c, err := net.Dial("tcp", w.address(shard))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return &client{t: w.t, Conn: c, in: bufio.NewReader(c)}
}

func (w *world) address(shard int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(w.members[0].BasePort+shard))
}

// client is a plain connection that speaks frames.
type client struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

const patience = 20 * time.Second

func frame(message []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(message))), message...)
}

func (c *client) send(messages ...[]byte) {
	c.t.Helper()
	var all []byte
	for _, m := range messages {
		all = append(all, frame(m)...)
	}
	if _, err := c.Write(all); err != nil {
		c.t.Fatal(err)
	}
}

// receive reads one reply.
func (c *client) receive() *codec.Message {
	c.t.Helper()
	m, err := c.tryReceive(patience)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *client) tryReceive(wait time.Duration) (*codec.Message, error) {
	_ = c.SetReadDeadline(time.Now().Add(wait))
	var header [4]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.LittleEndian.Uint32(header[:]))
	if _, err := io.ReadFull(c.in, b); err != nil {
		return nil, err
	}
	return decode(c.t, b), nil
}

func decode(t testing.TB, b []byte) *codec.Message {
	t.Helper()
	m := new(codec.Message)
	if !m.Decode(b) {
		t.Fatalf("reply does not decode: %x", b)
	}
	return m
}

func (c *client) ask(message []byte) *codec.Message {
	c.t.Helper()
	c.send(message)
	return c.receive()
}

// tryAsk is ask for goroutines that are not the test's own.
func (c *client) tryAsk(message []byte) (*codec.Message, error) {
	if _, err := c.Write(frame(message)); err != nil {
		return nil, err
	}
	return c.tryReceive(patience)
}

func infoRequest(w *world, account int) []byte {
	return codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: w.accounts[account].Public()})
}

// balance asks for an account's balance; 0 for one that is unknown.
func (w *world) balance(account int) uint64 {
	w.t.Helper()
	c := w.dial(w.shardOf(account))
	defer c.Close()
	m := c.ask(infoRequest(w, account))
	if m.Kind != codec.KindInfoResponse {
		return 0
	}
	amount, ok := m.InfoResponse().Balance.Amount()
	if !ok {
		w.t.Fatalf("balance %v", m.InfoResponse().Balance)
	}
	return amount
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

// wantError demands a rejection.
func wantError(t testing.TB, m *codec.Message, code codec.ErrorCode) {
	t.Helper()
	if m.Kind != codec.KindError || m.ErrorCode() != code {
		t.Fatalf("got message of kind %d, error %v, want error %v", m.Kind, m.ErrorCode(), &codec.Error{Code: code})
	}
}
