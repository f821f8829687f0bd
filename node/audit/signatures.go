package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// signatures checks those in records, many at a time, in goroutines of its own.
type signatures struct {
	committee *committee.Committee // nil: votes are not checked
	keys      *crypto.KeySet
	tell      func(at journal.Position, shard int, problem string) // called by several goroutines

	work  chan *signatureBatch
	done  sync.WaitGroup
	batch *signatureBatch

	orders, certificates, votes, unchecked uint64
}

// signatureBatch is signatures that are checked together, and copies of what they are in.
type signatureBatch struct {
	bytes []byte // never grows beyond its capacity, for the verifier points into it
	check []signatureCheck
	count int
}

type signatureCheck struct {
	at      journal.Position
	shard   int
	order   codec.Order
	message []byte
	votes   []codec.VoteEntry
}

// signatureBytes holds a batch's records and signed bytes; the largest record and its message fit.
const signatureBytes = 1 << 20

func newSignatures(c *committee.Committee, tell func(at journal.Position, shard int, problem string)) (*signatures, error) {
	s := &signatures{committee: c, tell: tell, work: make(chan *signatureBatch)}
	if c != nil {
		var err error
		if s.keys, err = c.Keys(); err != nil {
			return nil, err
		}
	}
	for range runtime.GOMAXPROCS(0) {
		s.done.Go(func() {
			v := crypto.NewVerifier(s.keys)
			for b := range s.work {
				s.verify(v, b)
			}
		})
	}
	return s, nil
}

// end checks what is left, and ends the goroutines.
func (s *signatures) end() {
	s.flush()
	close(s.work)
	s.done.Wait()
}

func (s *signatures) flush() {
	if s.batch != nil {
		s.work <- s.batch
		s.batch = nil
	}
}

// add takes the signatures of a record: that of the payer, and the votes if it has some.
func (s *signatures) add(at journal.Position, shard int, record []byte, r *authority.Record) {
	if r.Order.IsZero() {
		return
	}
	need := len(record) + len(r.Order.Bytes())
	if b := s.batch; b != nil && (b.count >= crypto.BatchSize() || need > cap(b.bytes)-len(b.bytes)) {
		s.flush()
	}
	if s.batch == nil {
		s.batch = &signatureBatch{bytes: make([]byte, 0, max(signatureBytes, 2*need))}
	}
	b := s.batch
	begin := len(b.bytes)
	b.bytes = append(b.bytes, record...)
	var copied authority.Record
	if err := copied.Parse(authority.Position(at), b.bytes[begin:len(b.bytes):len(b.bytes)]); err != nil {
		return // it was parsed before
	}
	begin = len(b.bytes)
	b.bytes = copied.Order.AppendSignedBytes(b.bytes)
	c := signatureCheck{at: at, shard: shard, order: copied.Order, message: b.bytes[begin:len(b.bytes):len(b.bytes)]}
	s.orders++
	b.count += 2
	if n := copied.NumVotes(); n > 0 {
		c.votes = s.collect(at, shard, &copied)
		b.count += len(c.votes)
	}
	b.check = append(b.check, c)
}

// collect gives the votes of a certificate, if they make a quorum.
func (s *signatures) collect(at journal.Position, shard int, r *authority.Record) (votes []codec.VoteEntry) {
	if s.committee == nil {
		s.unchecked += uint64(r.NumVotes())
		return nil
	}
	raw, err := r.AppendCertificate(nil, s.committee)
	if err != nil {
		s.tell(at, shard, err.Error())
		return nil
	}
	cert, err := codec.ParseCertificate(raw)
	if err != nil {
		s.tell(at, shard, "a certificate that can't be read: "+err.Error())
		return nil
	}
	if err := s.committee.CheckShape(cert); err != nil {
		s.tell(at, shard, "a certificate without a quorum: "+err.Error())
		return nil
	}
	for i := range cert.NumVotes() {
		name, signature := cert.Vote(i)
		votes = append(votes, codec.VoteEntry{Authority: *name, Signature: *signature})
	}
	s.certificates++
	s.votes += uint64(len(votes))
	return votes
}

func (s *signatures) verify(v *crypto.Verifier, b *signatureBatch) {
	v.Reset()
	places := make([]int, 0, b.count)
	for i := range b.check {
		c := &b.check[i]
		places = append(places, v.AddOrder(c.order.Sender(), c.message, c.order.Signature()))
		for k := range c.votes {
			member, _ := s.committee.Index(&c.votes[k].Authority) // CheckShape refused strangers
			places = append(places, v.AddVote(member, c.message, &c.votes[k].Signature))
		}
	}
	if v.Verify() {
		return
	}
	for i := range b.check {
		c := &b.check[i]
		if !v.Valid(places[0]) {
			s.tell(c.at, c.shard, "the payer's signature of payment "+paymentOf(c.order)+" is bad")
		}
		for k := range c.votes {
			if !v.Valid(places[1+k]) {
				s.tell(c.at, c.shard, "the vote of "+codec.FormatAddress(&c.votes[k].Authority)+" for payment "+
					paymentOf(c.order)+" is bad")
			}
		}
		places = places[1+len(c.votes):]
	}
}

// paymentOf names a payment.
func paymentOf(o codec.Order) string {
	return fmt.Sprintf("%d of %s", o.SequenceNumber(), codec.FormatAddress(o.Sender()))
}

// committeeID names a committee as journals do: its members in their order, and their weights.
func committeeID(c *committee.Committee) string {
	h := sha256.New()
	for i := range c.Len() {
		m := c.Member(i)
		_, _ = h.Write(m.Name[:]) // never fails
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, m.Weight))
	}
	return fmt.Sprintf("%d members, sha256 %x", c.Len(), h.Sum(nil))
}
