package authority

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// A world is a committee of four: three correct authorities, each with all its shards, and a Byzantine one (seed 3) that
// signs whatever it is given. Owners sign conflicting orders as they like. The network loses, repeats, delays and
// reorders, and its messages are forged and damaged. Signatures are cheap, but only their owners make them.
//
// What a correct authority did is checked at every step against a model too simple to be wrong.
type world struct {
	t         *rapid.T
	numShards int
	honest    []*driver
	owners    []byte
	initial   uint64 // balance of every owner
	ring      bool   // the log is a Ring, and credits hold their certificates

	orders  []codec.Order // signed by their owners
	certs   []codec.Certificate
	votes   map[string]map[byte]crypto.Signature // transfer → voter → vote
	credits [][]credit                           // for each authority, sent and not known to have arrived

	voted     []map[string]string // S2: for each authority, account and number → transfer it signed
	certified map[string]string   // S1: account and number → transfer with a quorum
	settled   []map[string]bool   // S3: for each authority, certificates that it took

	tally tally
}

// A credit is on its way from one shard to another.
type credit struct {
	from, to int
	number   uint64
	at       Position // of its settlement, 0 when its certificate travels
	cert     codec.Certificate
}

var byzantine = byte(3)

func newWorld(t *rapid.T) *world {
	w := &world{
		t:         t,
		numShards: rapid.IntRange(1, 3).Draw(t, "shards"),
		initial:   rapid.SampledFrom([]uint64{0, 1, 10, 30, 100}).Draw(t, "initial"),
		ring:      rapid.Bool().Draw(t, "ring"),
		votes:     make(map[string]map[byte]crypto.Signature),
		certified: make(map[string]string),
	}
	for seed := range 6 {
		w.owners = append(w.owners, byte(100+seed))
	}
	for seed := range byte(3) {
		d := newWorldDriver(t, w)
		d.name, d.seed = testKey(seed), seed
		for _, s := range d.shards {
			s.name = d.name
		}
		w.honest = append(w.honest, d)
		w.credits = append(w.credits, nil)
		w.voted = append(w.voted, make(map[string]string))
		w.settled = append(w.settled, make(map[string]bool))
	}
	return w
}

// newWorldDriver is authority 0 in the initial state.
func newWorldDriver(t *rapid.T, w *world) *driver {
	opts := Options{Committee: worldCommittee, Name: testKey(0), NumShards: w.numShards, HashSeed: [2]uint64{1, 2}}
	d := &driver{scheme: cheap{}}
	if w.ring {
		ring, err := NewRing(128<<10, worldCommittee)
		if err != nil {
			t.Fatal(err)
		}
		opts.Log = ring
	} else {
		d.log = newTestLog()
		opts.Log = d.log
	}
	if err := d.open(opts); err != nil {
		t.Fatal(err)
	}
	for _, o := range w.owners {
		a := testKey(o)
		if err := d.shardOf(a).Fund(&a, codec.NewBalance(w.initial)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

var worldCommittee = func() *committee.Committee {
	var members []committee.Member
	for i, name := range testMembers {
		members = append(members, committee.Member{Name: name, Weight: 1, Host: "h", BasePort: 1 + i, NumShards: 1})
	}
	c, err := committee.New(members)
	if err != nil {
		panic(err)
	}
	return c
}()

// place is the account and sequence number of an order.
func place(o codec.Order) string { return fmt.Sprintf("%x %d", o.Sender()[:8], o.SequenceNumber()) }

// run takes the given number of random steps, then checks what holds at all times.
func (w *world) run(steps int) {
	for range steps {
		switch rapid.IntRange(0, 10).Draw(w.t, "step") {
		case 0:
			w.sign()
			w.sendOrder()
		case 1, 2, 3:
			w.pay()
		case 4:
			w.sendForgery()
		case 5, 6:
			w.sendCertificate()
		case 7, 8:
			w.deliverCredit()
		case 9:
			w.ask()
		case 10:
			w.crash()
		}
		w.count()
	}
}

// A tally counts what came up in all histories of a test, so that a test can tell that it tried something.
type tally struct{ certificates, conflicts, credits, repeats, debts, lost int }

func (w *world) count() {
	for _, d := range w.honest {
		for _, s := range d.shards {
			for a := range s.Accounts() {
				if a.Balance.Less(codec.NewBalance(0)) {
					w.tally.debts++
				}
			}
		}
	}
}

// pay is a payment as it should be: signed, sent to all, often after they were brought up to date, and its certificate
// to some.
func (w *world) pay() {
	w.sign()
	o := w.orders[len(w.orders)-1]
	update := rapid.IntRange(0, 3).Draw(w.t, "update") > 0
	for i := range w.honest {
		for _, c := range w.certs {
			if update && *c.Order().Sender() == *o.Sender() {
				w.deliver(i, certMessage(c))
			}
		}
		w.deliver(i, orderMessage(o))
	}
	if n := len(w.certs); n > 0 && rapid.IntRange(0, 3).Draw(w.t, "settle") > 0 {
		w.deliver(w.authority(), certMessage(w.certs[n-1]))
	}
}

// sign makes an owner sign an order: often the next payment, often one that conflicts with another.
func (w *world) sign() {
	t := w.t
	owner := rapid.SampledFrom(w.owners).Draw(t, "payer")
	next := uint64(0)
	for _, c := range w.certs {
		if *c.Order().Sender() == testKey(owner) {
			next = max(next, c.Order().SequenceNumber()+1)
		}
	}
	transfer := codec.Transfer{
		Amount:         rapid.SampledFrom([]uint64{1, 1, 2, w.initial / 3, w.initial, w.initial + 1, 0}).Draw(t, "amount"),
		SequenceNumber: next + rapid.SampledFrom([]uint64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ^uint64(0)}).Draw(t, "number"),
	}
	payee := rapid.SampledFrom(append([]byte{120, 121, 122}, w.owners...)).Draw(t, "payee")
	transfer.Recipient = toFastPay(payee)
	if rapid.IntRange(0, 5).Draw(t, "primary") == 0 {
		transfer.Recipient = toPrimary(payee)
	}
	transfer.UserData.Present = rapid.IntRange(0, 3).Draw(t, "data") == 0
	w.orders = append(w.orders, signOrder(owner, transfer))
}

func (w *world) sendOrder() {
	if len(w.orders) == 0 {
		return
	}
	w.deliver(w.authority(), orderMessage(w.recent(w.orders)))
}

// recent prefers what came last, since most of what is old is settled.
func (w *world) recent(list []codec.Order) codec.Order {
	n := min(len(list), rapid.SampledFrom([]int{1, 2, 4, 1 << 20}).Draw(w.t, "window"))
	return list[len(list)-1-rapid.IntRange(0, n-1).Draw(w.t, "back")]
}

func (w *world) authority() int { return rapid.IntRange(0, len(w.honest)-1).Draw(w.t, "authority") }

func (w *world) sendCertificate() {
	if len(w.certs) > 0 {
		w.deliver(w.authority(), certMessage(w.certs[rapid.IntRange(0, len(w.certs)-1).Draw(w.t, "certificate")]))
	}
}

// deliverCredit brings one credit to its shard, and sometimes keeps it to bring it again. One that comes before those
// that precede it is refused, and stays.
func (w *world) deliverCredit() {
	i := w.authority()
	if len(w.credits[i]) == 0 {
		return
	}
	n := rapid.IntRange(0, len(w.credits[i])-1).Draw(w.t, "credit")
	c := w.credits[i][n]
	if !w.bring(i, c) || !rapid.Bool().Draw(w.t, "acknowledged") {
		return
	}
	if err := w.honest[i].acknowledge(c); err != nil {
		w.t.Fatal(err)
	}
	w.credits[i] = slices.DeleteFunc(w.credits[i], func(o credit) bool {
		return o.from == c.from && o.to == c.to && o.number <= c.number && rapid.Bool().Draw(w.t, "forgotten")
	})
}

func (d *driver) acknowledge(c credit) error {
	defer d.commit()
	return d.shards[c.from].Acknowledge(c.to, c.number, 0)
}

// bring gives a credit to its shard and reports whether it has it now.
func (w *world) bring(authority int, c credit) bool {
	w.tally.credits++
	d := w.honest[authority]
	cursor := d.shards[c.to].Cursor(c.from)
	isNext := c.number == cursor+1
	var before string
	if !isNext {
		before = d.dump()
	}
	err := d.credit(c.to, c.from, c.number, c.at, c.cert)
	switch {
	case c.number > cursor+1:
		if !errors.Is(err, ErrGap) {
			w.t.Fatalf("credit %d after %d: %v", c.number, cursor, err)
		}
	case err != nil:
		w.t.Fatalf("a credit is refused: %v", err)
	}
	if !isNext && d.dump() != before {
		w.t.Fatalf("S6: credit %d after %d changes the state", c.number, cursor)
	}
	return err == nil
}

func (w *world) ask() {
	q := codec.InfoRequest{Account: testKey(rapid.SampledFrom(w.owners).Draw(w.t, "account"))}
	q.HasSequence = rapid.Bool().Draw(w.t, "sequence")
	q.Sequence = rapid.Uint64Range(0, 5).Draw(w.t, "number")
	q.HasReceived = rapid.Bool().Draw(w.t, "received")
	q.ReceivedAfter = rapid.Uint64Range(0, 5).Draw(w.t, "after")
	i := w.authority()
	before := w.honest[i].dump()
	w.deliver(i, codec.AppendInfoRequest(nil, &q))
	if w.honest[i].dump() != before {
		w.t.Fatalf("a question changes the state")
	}
}

// deliver brings a message to an authority, in a batch that may repeat it, and keeps the books.
func (w *world) deliver(authority int, message []byte) {
	d := w.honest[authority]
	var m codec.Message
	if !m.Decode(message) {
		w.t.Fatalf("does not decode: %x", message)
	}
	account := m.InfoRequest()
	var shard int
	if account != nil {
		shard = committee.ShardOf(&account.Account, w.numShards)
	} else {
		shard = committee.ShardOf(orderOf(&m).Sender(), w.numShards)
	}
	batch := [][]byte{message}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(w.t, "repeats") {
		batch = append(batch, message)
	}
	for _, a := range d.batch(shard, batch...) {
		w.note(authority, message, &m, a)
	}
}

func orderOf(m *codec.Message) codec.Order {
	if m.Kind == codec.KindOrder {
		return m.Order()
	}
	return m.Certificate().Order()
}

// settleAll brings all certificates and credits to every correct authority, until nothing is left to do. An answer may show
// a vote that a crash kept from being seen, and so make another certificate.
func (w *world) settleAll() {
	for known := -1; known < len(w.certs); {
		known = len(w.certs)
		w.settleKnown()
	}
}

// settleKnown brings those that there are, in an order drawn anew for each authority.
func (w *world) settleKnown() {
	for i, d := range w.honest {
		order := w.permutation(len(w.certs))
		for progress := true; progress; {
			progress = false
			for _, n := range order {
				c, message := w.certs[n], certMessage(w.certs[n])
				from := *c.Order().Sender()
				a := d.one(committee.ShardOf(&from, w.numShards), message)
				w.note(i, message, mustDecode(message), a)
				progress = progress || a.out.Changed
			}
		}
		for len(w.credits[i]) > 0 { // in each round the next one of a lane at least
			var left []credit
			for _, n := range w.permutation(len(w.credits[i])) {
				if c := w.credits[i][n]; !w.bring(i, c) {
					left = append(left, c)
				}
			}
			w.credits[i] = left
		}
	}
}

func (w *world) permutation(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return rapid.Permutation(list).Draw(w.t, "order of arrival")
}

func mustDecode(message []byte) *codec.Message {
	m := new(codec.Message)
	if !m.Decode(message) {
		panic("does not decode")
	}
	return m
}

// minted is what all owners had at the beginning; redeemed what left for the Primary with the certificates so far.
func (w *world) minted() *big.Int {
	return big.NewInt(int64(w.initial) * int64(len(w.owners)))
}

func (w *world) redeemed() *big.Int {
	sum := new(big.Int)
	for _, o := range w.final() {
		if o.RecipientKind() == codec.Primary {
			sum.Add(sum, new(big.Int).SetUint64(o.Amount()))
		}
	}
	return sum
}

// final is the orders that have a certificate, each once: a transfer may have several, with different votes.
func (w *world) final() (orders []codec.Order) {
	seen := make(map[string]bool)
	for _, c := range w.certs {
		if p := place(c.Order()); !seen[p] {
			seen[p] = true
			orders = append(orders, c.Order())
		}
	}
	return orders
}
