package authority

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// A scheme signs and checks. Tests of bytes use Ed25519, properties the cheap one.
type scheme interface {
	sign(seed byte, message []byte) crypto.Signature
	verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool
}

// cheap is no signature at all: a hash of the public key and the message. Only test code knows how to make it.
type cheap struct{}

func (cheap) sign(seed byte, message []byte) crypto.Signature {
	key := testKey(seed)
	var sig crypto.Signature
	h := sha256.Sum256(append(key[:], message...))
	copy(sig[:], h[:])
	return sig
}

func (c cheap) verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	var want crypto.Signature
	h := sha256.Sum256(append(append([]byte(nil), key[:]...), message...))
	copy(want[:], h[:])
	return *sig == want
}

// testKey is the public key of a seed, a real one, since committees take no other. Its last four bytes, which choose the
// shard, are as random as any.
func testKey(seed byte) codec.Address { return testKeys[seed] }

var testKeys = func() (keys [256]codec.Address) {
	for i := range keys {
		keys[i] = crypto.NewPrivateKey(&[32]byte{byte(i), 1}).Public()
	}
	return keys
}()

func testCommittee(t testing.TB, names ...codec.Address) *committee.Committee {
	t.Helper()
	var members []committee.Member
	for i, name := range names {
		members = append(members, committee.Member{
			Name: name, Weight: 1, Host: "h", BasePort: 1000 + 100*i, NumShards: 1})
	}
	c, err := committee.New(members)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A driver does with requests what a node does, without the network: it checks, applies, signs, and fills in the votes.
type driver struct {
	committee *committee.Committee
	name      codec.Address
	seed      byte
	scheme    scheme
	shards    []*Shard
	log       *testLog // of all shards, nil when it is a Ring
	reader    *Reader
	base      Position // of the last batch
	checks    int      // signatures that were checked
}

func newDriver(t testing.TB, sch scheme, seed byte, numShards int, members []codec.Address, change func(*Options)) *driver {
	t.Helper()
	log := newTestLog()
	opts := Options{
		Committee: testCommittee(t, members...), Name: testKey(seed), NumShards: numShards, Log: log, HashSeed: [2]uint64{1, 2},
	}
	if change != nil {
		change(&opts)
	}
	d := &driver{seed: seed, scheme: sch}
	if opts.Log == Log(log) {
		d.log = log
	}
	if err := d.open(opts); err != nil {
		t.Fatal(err)
	}
	return d
}

// open makes the shards.
func (d *driver) open(opts Options) error {
	d.committee, d.name = opts.Committee, opts.Name
	for i := range opts.NumShards {
		opts.Shard = i
		s, err := New(opts)
		if err != nil {
			return err
		}
		d.shards = append(d.shards, s)
	}
	var read func(Position) ([]byte, error)
	switch log := opts.Log.(type) {
	case *Ring:
		read = log.Read
	case *testLog:
		read = log.read
	}
	d.reader = NewReader(opts.Committee, cmp.Or(opts.MaxMessage, codec.DefaultMaxMessage), read)
	return nil
}

// commit ends the log's batch.
func (d *driver) commit() {
	if d.log == nil {
		return
	}
	base := d.log.commit()
	for _, s := range d.shards {
		s.Rebase(base)
	}
	d.base = base
}

func (d *driver) shardOf(a codec.Address) *Shard {
	return d.shards[committee.ShardOf(&a, len(d.shards))]
}

func (d *driver) fund(t testing.TB, a codec.Address, balance codec.Balance) {
	t.Helper()
	if err := d.shardOf(a).Fund(&a, balance); err != nil {
		t.Fatal(err)
	}
}

// An answer is what a request led to.
type answer struct {
	reply    []byte // nil for none
	err      *codec.Error
	creditTo int // -1 for none
	out      Outcome
	fetch    Fetch
}

// batch takes messages to one shard through the steps of doc.go.
func (d *driver) batch(shard int, messages ...[]byte) []answer {
	s := d.shards[shard]
	answers := make([]answer, len(messages))
	decoded := make([]codec.Message, len(messages))
	for i, m := range messages {
		answers[i] = answer{creditTo: -1}
		if !decoded[i].Decode(m) {
			answers[i].err = &codec.Error{Code: codec.InvalidDecoding}
		} else if err := s.Precheck(&decoded[i]); err != nil {
			answers[i].err = err
		} else if !d.verify(s, &decoded[i]) {
			answers[i].err = committee.InvalidSignature
		}
	}
	var votes []crypto.Signature
	for i := range messages {
		d.apply(s, &decoded[i], &answers[i])
		if out := answers[i].out; out.NewVote {
			votes = append(votes, d.scheme.sign(d.seed, s.AppendSignedBytes(nil, out.Ticket)))
		}
	}
	for _, a := range answers {
		if a.reply != nil && a.out.VoteAt >= 0 {
			copy(a.reply[a.out.VoteAt:], votes[a.out.Ticket][:])
		}
	}
	s.Signed(votes)
	d.commit()
	for i := range answers {
		d.finish(&answers[i])
	}
	return answers
}

// finish reads back what an answer shows, once the batch is in the log.
func (d *driver) finish(a *answer) {
	a.out.At = a.out.At.Rebase(d.base)
	if a.fetch.Wanted() {
		a.fetch.Rebase(d.base)
		reply, found, err := d.reader.Finish(a.reply, &a.fetch)
		if err != nil {
			panic(err)
		}
		a.reply, a.out.Accepted = reply, found
	}
	if a.reply != nil {
		a.err = errorOf(a.reply)
	}
}

// info asks shard as Shard.Info does, with the certificates.
func (d *driver) info(shard int, q *codec.InfoRequest, maxReply int) answer {
	s := d.shards[shard]
	out, fetch := s.Info(nil, q, maxReply)
	if out.NewVote {
		vote := d.scheme.sign(d.seed, s.AppendSignedBytes(nil, out.Ticket))
		copy(out.Reply[out.VoteAt:], vote[:])
		s.Signed([]crypto.Signature{vote})
	}
	a := answer{reply: out.Reply, creditTo: -1, out: out, fetch: fetch}
	d.finish(&a)
	return a
}

// credit brings a credit to its shard, as the link between the two does.
func (d *driver) credit(to, from int, number uint64, at Position, c codec.Certificate) error {
	defer d.commit()
	return d.shards[to].Credit(from, number, at, c)
}

func (d *driver) one(shard int, message []byte) answer { return d.batch(shard, message)[0] }

// verify checks the signatures of a message, but for those that verified before.
func (d *driver) verify(s *Shard, m *codec.Message) bool {
	var o codec.Order
	switch m.Kind {
	case codec.KindOrder:
		o = m.Order()
	case codec.KindCertificate:
		o = m.Certificate().Order()
	default:
		return true
	}
	message := o.AppendSignedBytes(nil)
	if !s.KnownOrder(o) && !d.check(o.Sender(), message, o.Signature()) {
		return false
	}
	if m.Kind == codec.KindOrder {
		return true
	}
	for i := range m.Certificate().NumVotes() {
		name, sig := m.Certificate().Vote(i)
		if *name == d.name && s.KnownVote(o, sig) {
			continue
		}
		if !d.check(name, message, sig) {
			return false
		}
	}
	return true
}

func (d *driver) check(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	d.checks++
	return d.scheme.verify(key, message, sig)
}

// apply gives a checked message to the shard.
func (d *driver) apply(s *Shard, m *codec.Message, a *answer) {
	if a.err != nil {
		a.reply = codec.AppendError(nil, a.err)
		a.out = Outcome{VoteAt: -1, CreditTo: -1}
		return
	}
	switch m.Kind {
	case codec.KindOrder:
		a.out = s.Order(nil, m.Order())
	case codec.KindCertificate:
		a.out = s.Certificate(nil, m.Certificate())
	case codec.KindInfoRequest:
		a.out, a.fetch = s.Info(nil, m.InfoRequest(), codec.DefaultMaxMessage)
	}
	a.reply, a.creditTo = a.out.Reply, a.out.CreditTo
}

// errorOf is the rejection in a reply, nil when it is none.
func errorOf(reply []byte) *codec.Error {
	var m codec.Message
	if !m.Decode(reply) {
		panic(fmt.Sprintf("a reply does not decode: %x", reply))
	}
	if m.Kind == codec.KindError {
		return m.Error()
	}
	return nil
}

// codeOf is the name of a rejection, or "ok".
func codeOf(err *codec.Error) string {
	if err == nil {
		return "ok"
	}
	return err.Code.String()
}

// dump is all that can be observed of a driver's state, in an order that does not depend on what came first; positions
// in received logs are left out for the same reason, and votes because a crash forgets them until they are asked for.
func (d *driver) dump() string {
	var lines []string
	for i, s := range d.shards {
		for a := range s.Accounts() {
			lines = append(lines, fmt.Sprintf("%d %x balance %v next %d pending %x confirmed %d received %v synchronized %d",
				i, a.Address[:4], a.Balance, a.NextSequenceNumber, a.Pending[:max(len(a.Pending)-crypto.SignatureSize, 0)], a.Confirmed, d.receivedSet(i, a), a.Synchronized))
		}
		lines = append(lines, fmt.Sprintf("%d last transaction %d", i, s.LastTransaction()))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines)
}

// receivedSet is the transfers of the certificates received by a, as short hashes in order of their value. Certificates of
// one transfer may differ in their votes.
func (d *driver) receivedSet(shard int, a Account) []uint32 {
	var set []uint32
	for n := uint64(0); n < a.Received; {
		var m codec.Message
		got := d.info(shard, &codec.InfoRequest{Account: a.Address, HasReceived: true, ReceivedAfter: n}, 1<<20)
		if !m.Decode(got.reply) || m.Kind != codec.KindInfoResponse {
			panic("the received log can't be read")
		}
		list := m.InfoResponse().Received
		for list.Len() > 0 {
			var c codec.Certificate
			c, list = list.Next()
			h := sha256.Sum256(c.Order().TransferBytes())
			set = append(set, binary.LittleEndian.Uint32(h[:]))
			n++
		}
	}
	slices.Sort(set)
	return set
}
