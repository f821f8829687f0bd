package bench

import (
	"math/bits"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// payment is one that a committee was asked to settle. Sets of members are bits.
type payment struct {
	number int // -1 when the slot is free
	state  paymentState
	order  codec.Order
	signed []byte // what its votes sign
	began  time.Duration
	due    time.Duration // in a closed loop the same as began

	got, waiting, verified, bad uint64             // votes: received, being verified, good, wrong
	confirmed                   uint64             // members that have settled it
	votes                       []crypto.Signature // by member
	rival                       *rival             // of a payer who pays twice
}

type paymentState uint8

const (
	ordering   paymentState = iota // votes are awaited
	certifying                     // there is a certificate, and confirmations are awaited
	settledAtQuorum
)

// rival is the other order of a payer who signs two with one number.
type rival struct {
	order     codec.Order
	signed    []byte
	verified  uint64
	votes     []crypto.Signature
	certified bool
}

func bit(member int) uint64 { return 1 << member }

func count(set uint64) int { return bits.OnesCount64(set) }

// reset makes the slot that of payment k.
func (p *payment) reset(k int, o codec.Order, now, due time.Duration) {
	votes, signed := p.votes, p.signed
	*p = payment{number: k, order: o, signed: o.AppendSignedBytes(signed[:0]), began: now, due: due, votes: votes}
}

// isVoteFor finds the vote of a member for order o in the reply to it; its signature is not verified yet.
func isVoteFor(m *codec.Message, o codec.Order, member *codec.Address) (*crypto.Signature, bool) {
	if m.Kind != codec.KindInfoResponse {
		return nil, false
	}
	v := m.InfoResponse().Pending
	if v.IsZero() || m.InfoResponse().Account != *o.Sender() || m.InfoResponse().NextSequenceNumber != o.SequenceNumber() ||
		*v.Authority() != *member || !sameTransfer(v.Order(), o) {
		return nil, false
	}
	return v.Signature(), true
}

// sameTransfer compares orders without their signatures, with which their encodings end.
func sameTransfer(a, b codec.Order) bool {
	x, y := a.Bytes(), b.Bytes()
	return len(x) == len(y) && string(x[:len(x)-crypto.SignatureSize]) == string(y[:len(y)-crypto.SignatureSize])
}
