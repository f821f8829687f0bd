package bench

import (
	"fmt"
	"runtime"
	"time"

	"fastpay/bench/paper"
	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/perf"
)

// OperationTimes is one run of the paper's Table 1: what single operations on orders, votes and certificates cost.
type OperationTimes struct {
	Schema      int              `json:"schema"`
	Command     []string         `json:"command"`
	Paper       *paper.Place     `json:"paper,omitempty"`
	Authorities int              `json:"authorities"`
	Quorum      int              `json:"quorum"` // votes of a certificate
	Batch       int              `json:"batch"`  // how many at once
	Operations  []OperationTime  `json:"operations"`
	Environment perf.Environment `json:"environment"`
}

// OperationTime is the CPU time of one operation, in µs.
type OperationTime struct {
	Name      string   `json:"name"` // of paper.Operations
	SingleUs  float64  `json:"single_us"`
	BatchedUs *float64 `json:"batched_us"` // each of a batch; nil where there is nothing to do at once
}

// What Table 1 had, and what is at once here.
const (
	tableCommittee = 10
	tableBatch     = 128
)

// operations makes the messages of the table once, and then what is timed: one operation on message i, or all at once.
type operations struct {
	w            *workload
	keys         *crypto.KeySet
	verifier     *crypto.Verifier
	transfers    []codec.Transfer
	signed       [][]byte           // what is signed, of each
	signatures   []crypto.Signature // the payers'
	orders       [][]byte           // messages as on the wire
	votes        [][]byte
	certificates [][]byte
	entries      [][]codec.VoteEntry // of each certificate
	made         []crypto.Signature
	out          []byte
	message      codec.Message
}

// RunOperations measures each operation for so long, one at a time and many at once, on one thread.
func RunOperations(seed uint64, each time.Duration) (*OperationTimes, error) {
	o, err := newOperations(seed)
	if err != nil {
		return nil, err
	}
	t := &OperationTimes{Schema: schemaVersion, Authorities: tableCommittee, Quorum: len(o.w.voters), Batch: tableBatch,
		Environment: perf.NewEnvironment(crypto.Backend())}
	runtime.LockOSThread() // CPU time of the thread is what counts: other programs must not make an operation look slow
	defer runtime.UnlockOSThread()
	for _, timed := range [...]struct {
		name string
		one  func(i int) bool
		many func() bool
	}{
		{"create order", o.createOrder, o.createOrders},
		{"create vote", o.createVote, o.createVotes},
		{"create certificate", o.createCertificate, nil},
		{"check order", o.checkOrder, o.checkOrders},
		{"check vote", o.checkVote, o.checkVotes},
		{"check certificate", o.checkCertificate, o.checkCertificates},
	} {
		row := OperationTime{Name: timed.name}
		all := func() bool {
			good := true
			for i := range tableBatch {
				good = timed.one(i) && good
			}
			return good
		}
		if row.SingleUs, err = timePer(timed.name, all, each); err != nil {
			return nil, err
		}
		if timed.many != nil {
			us, err := timePer(timed.name, timed.many, each)
			if err != nil {
				return nil, err
			}
			row.BatchedUs = &us
		}
		t.Operations = append(t.Operations, row)
	}
	return t, nil
}

// timePer is the CPU time of f for each of the batch's messages, in µs, after one call that fills tables and caches.
func timePer(name string, f func() bool, least time.Duration) (us float64, err error) {
	if !f() {
		return 0, fmt.Errorf("bench: %s: a message that was made here is not right", name)
	}
	calls, began := 0, perf.ThreadUsage().CPU
	for calls == 0 || perf.ThreadUsage().CPU-began < least {
		f()
		calls++
	}
	return (perf.ThreadUsage().CPU - began).Seconds() * 1e6 / float64(calls*tableBatch), nil
}

func newOperations(seed uint64) (*operations, error) {
	o := &operations{w: newWorkload(seed, tableCommittee), made: make([]crypto.Signature, tableBatch)}
	o.w.expand(tableBatch, tableBatch)
	var err error
	if o.keys, err = keysOf(o.w); err != nil {
		return nil, err
	}
	o.verifier = crypto.NewVerifier(o.keys)
	o.signatures = make([]crypto.Signature, tableBatch)
	for i := range tableBatch {
		t := o.w.transfer(i, 0)
		o.transfers = append(o.transfers, t)
		o.signed = append(o.signed, t.AppendSignedBytes(nil))
		o.w.private[i].Sign(&o.signatures[i], o.signed[i])
		order := codec.NewOrder(&t, &o.signatures[i])
		o.orders = append(o.orders, codec.AppendOrder(nil, order))
		entries := make([]codec.VoteEntry, len(o.w.voters))
		for j, member := range o.w.voters {
			entries[j].Authority = o.w.names[member]
			o.w.members[member].Sign(&entries[j].Signature, o.signed[i])
		}
		first := o.w.voters[0]
		o.votes = append(o.votes, codec.AppendVote(nil, codec.NewVote(order, &o.w.names[first], &entries[0].Signature)))
		o.entries = append(o.entries, entries)
		o.certificates = append(o.certificates, codec.AppendCertificate(nil, codec.NewCertificate(order, entries)))
	}
	return o, nil
}

func (o *operations) createOrder(i int) bool {
	t := &o.transfers[i]
	o.signed[i] = t.AppendSignedBytes(o.signed[i][:0])
	o.w.private[i].Sign(&o.signatures[i], o.signed[i])
	o.out = codec.AppendOrder(o.out[:0], codec.NewOrder(t, &o.signatures[i]))
	return string(o.out) == string(o.orders[i])
}

// createOrders is of one payer, who signs many.
func (o *operations) createOrders() bool {
	for i := range o.transfers {
		o.signed[i] = o.transfers[i].AppendSignedBytes(o.signed[i][:0])
	}
	o.w.private[0].SignBatch(o.made, o.signed)
	for i := range o.transfers {
		o.out = codec.AppendOrder(o.out[:0], codec.NewOrder(&o.transfers[i], &o.made[i]))
	}
	return o.made[0] == o.signatures[0]
}

func (o *operations) createVote(i int) bool {
	order, member := codec.NewOrder(&o.transfers[i], &o.signatures[i]), o.w.voters[0]
	o.signed[i] = order.AppendSignedBytes(o.signed[i][:0])
	o.w.members[member].Sign(&o.made[i], o.signed[i])
	o.out = codec.AppendVote(o.out[:0], codec.NewVote(order, &o.w.names[member], &o.made[i]))
	return string(o.out) == string(o.votes[i])
}

func (o *operations) createVotes() bool {
	member := o.w.voters[0]
	for i := range o.transfers {
		o.signed[i] = o.transfers[i].AppendSignedBytes(o.signed[i][:0])
	}
	o.w.members[member].SignBatch(o.made, o.signed)
	for i := range o.transfers {
		order := codec.NewOrder(&o.transfers[i], &o.signatures[i])
		o.out = codec.AppendVote(o.out[:0], codec.NewVote(order, &o.w.names[member], &o.made[i]))
	}
	return string(o.out) == string(o.votes[tableBatch-1])
}

// createCertificate is of votes that were checked when they came.
func (o *operations) createCertificate(i int) bool {
	order := codec.NewOrder(&o.transfers[i], &o.signatures[i])
	o.out = codec.AppendCertificate(o.out[:0], codec.NewCertificate(order, o.entries[i]))
	return string(o.out) == string(o.certificates[i])
}

func (o *operations) checkOrder(i int) bool {
	if !o.message.Decode(o.orders[i]) || o.message.Kind != codec.KindOrder {
		return false
	}
	order := o.message.Order()
	o.signed[i] = order.AppendSignedBytes(o.signed[i][:0])
	return crypto.Verify(order.Sender(), o.signed[i], order.Signature())
}

func (o *operations) checkOrders() bool {
	o.verifier.Reset()
	for i := range o.orders {
		if !o.message.Decode(o.orders[i]) {
			return false
		}
		order := o.message.Order()
		o.signed[i] = order.AppendSignedBytes(o.signed[i][:0])
		o.verifier.AddOrder(order.Sender(), o.signed[i], order.Signature())
	}
	return o.verifier.Verify()
}

func (o *operations) checkVote(i int) bool {
	o.verifier.Reset()
	return o.addVote(i) && o.verifier.Verify()
}

func (o *operations) checkVotes() bool {
	o.verifier.Reset()
	for i := range o.votes {
		if !o.addVote(i) {
			return false
		}
	}
	return o.verifier.Verify()
}

// addVote decodes vote i and adds its signature to the verifier.
func (o *operations) addVote(i int) bool {
	if !o.message.Decode(o.votes[i]) || o.message.Kind != codec.KindVote {
		return false
	}
	v := o.message.Vote()
	o.signed[i] = v.Order().AppendSignedBytes(o.signed[i][:0])
	o.verifier.AddVote(o.member(v.Authority()), o.signed[i], v.Signature())
	return true
}

// member is the number of an authority.
func (o *operations) member(name *codec.Address) int {
	for i := range o.w.names {
		if o.w.names[i] == *name {
			return i
		}
	}
	return -1
}

func (o *operations) checkCertificate(i int) bool {
	o.verifier.Reset()
	return o.addCertificate(i) && o.verifier.Verify()
}

func (o *operations) checkCertificates() bool {
	o.verifier.Reset()
	for i := range o.certificates {
		if !o.addCertificate(i) {
			return false
		}
	}
	return o.verifier.Verify()
}

// addCertificate decodes certificate i and adds its votes to the verifier, if they are a quorum of different authorities.
func (o *operations) addCertificate(i int) bool {
	if !o.message.Decode(o.certificates[i]) || o.message.Kind != codec.KindCertificate {
		return false
	}
	c := o.message.Certificate()
	o.signed[i] = c.Order().AppendSignedBytes(o.signed[i][:0])
	voted := uint64(0)
	for j := range c.NumVotes() {
		name, signature := c.Vote(j)
		member := o.member(name)
		if member < 0 || voted&bit(member) != 0 {
			return false
		}
		voted |= bit(member)
		o.verifier.AddVote(member, o.signed[i], signature)
	}
	return count(voted) >= quorum(tableCommittee)
}

// WriteFile writes t as JSON; the file appears whole or not at all.
func (t *OperationTimes) WriteFile(name string) error { return writeJSON(name, t) }

// ReadOperationTimes reads a file that WriteFile wrote.
func ReadOperationTimes(name string) (*OperationTimes, error) {
	t := new(OperationTimes)
	if err := readJSON(name, t); err != nil {
		return nil, err
	}
	if t.Schema < schemaVersion || len(t.Operations) == 0 {
		return nil, fmt.Errorf("bench: %s has no times of operations", name)
	}
	return t, nil
}
