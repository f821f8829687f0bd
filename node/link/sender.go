package link

import (
	"errors"
	"fmt"

	"fastpay/codec"
)

// maxFlying bounds the credits that are under way at a time, beside the window in bytes.
const maxFlying = 4096

// Sender is one end of a link: what of its credits has to be sent. It keeps numbers, not credits: those are given to it
// when it asks, from memory or from the journal. The zero value is not usable. It belongs to one goroutine.
//
// For each connection: Hello is sent, then Welcome takes the answer; then, as long as Wants names a credit, Offer takes
// it and appends what is to be sent. Acknowledge takes what comes back. An error ends the connection. What an earlier
// connection brought must not be given to it: an old Welcome looks like a receiver that has forgotten credits.
type Sender struct {
	hello  Hello // Next, Acknowledged and Chain as they are now
	window int   // bytes of certificates under way, at most; one credit is allowed always

	greeted bool // a hello waits for its answer
	open    bool
	check   Acknowledgement // what the receiver says it has: the chain is compared when next gets there
	next    uint64          // the credit that is wanted
	sum     Chain           // of credits 1 to next-1
	flying  int             // bytes under way
	sent    [maxFlying]sent // of credits Acknowledged+1 to next-1, by number
}

type sent struct {
	chain Chain
	bytes int
}

// NewSender makes a sender that knows of no connection. The hello says who it is, and what was issued and acknowledged.
func NewSender(hello Hello, window int) *Sender { return &Sender{hello: hello, window: window} }

// Issued tells that the credits up to number exist and are durable.
func (s *Sender) Issued(number uint64) { s.hello.Next = max(s.hello.Next, number+1) }

// Acknowledged is up to where the receiver is known to be durable, with the chain up to there.
func (s *Sender) Acknowledged() Acknowledgement {
	return Acknowledgement{s.hello.Acknowledged, s.hello.Chain}
}

// Outstanding reports whether there are credits that are not acknowledged.
func (s *Sender) Outstanding() bool { return s.hello.Acknowledged+1 < s.hello.Next }

// Flying reports whether there is something that the receiver should acknowledge.
func (s *Sender) Flying() bool { return s.open && s.hello.Acknowledged+1 < s.next }

// Hello begins with a new connection, and forgets the one before.
func (s *Sender) Hello() Hello {
	s.greeted, s.open = true, false
	return s.hello
}

var errUnasked = errors.New("link: a welcome that answers no hello")

// Welcome takes the receiver's answer. A RefusedError is to be sent to it as a Refusal.
func (s *Sender) Welcome(w *Welcome) error {
	h := &s.hello
	refuse := func(reason Reason, sender uint64) error {
		return &RefusedError{h.Pair, Refusal{reason, sender, w.Cursor}}
	}
	greeted := s.greeted
	s.greeted = false
	switch {
	case !greeted:
		s.open = false
		return errUnasked
	case w.Cursor >= h.Next:
		return refuse(SenderBehind, h.Next-1)
	case w.Cursor < h.Acknowledged:
		return refuse(ReceiverBehind, h.Acknowledged)
	case w.Cursor == h.Acknowledged && w.Chain != h.Chain:
		return refuse(OtherHistory, w.Cursor)
	}
	s.open, s.check = true, Acknowledgement{w.Cursor, w.Chain}
	if s.next > w.Cursor+1 && sabotaged("link: after a break nothing is sent again") {
		return nil
	}
	s.next, s.sum, s.flying = h.Acknowledged+1, h.Chain, 0
	return nil
}

// Wants is the number of the credit that Offer takes next; credits before it are not needed on this connection. ok is
// false before the receiver has answered, while the window is full, and when all that is issued has been sent.
func (s *Sender) Wants() (number uint64, ok bool) {
	if !s.open || s.next >= s.hello.Next {
		return s.next, false
	}
	checking := s.next <= s.check.Number
	full := s.next-s.hello.Acknowledged > maxFlying || s.flying >= s.window
	return s.next, checking || !full
}

// Offer takes the credit that Wants named, and appends its message. Credits that the receiver has already are not sent:
// they are compared with what it has. A difference is a RefusedError, which is to be sent to it.
func (s *Sender) Offer(dst []byte, cert codec.Certificate) ([]byte, error) {
	s.sum = s.sum.Next(cert.Order())
	if s.next <= s.check.Number {
		return dst, s.compare()
	}
	size := len(cert.Bytes())
	s.sent[s.next%maxFlying] = sent{s.sum, size}
	s.flying += size
	dst = (&Credit{s.next, cert}).AppendFrame(dst)
	s.next++
	return dst, nil
}

// compare goes past a credit that the receiver has; at its cursor the chains must meet.
func (s *Sender) compare() error {
	s.next++
	if s.next <= s.check.Number {
		return nil
	}
	if s.sum != s.check.Chain {
		s.open = false
		return &RefusedError{s.hello.Pair, Refusal{OtherHistory, s.check.Number, s.check.Number}}
	}
	s.hello.Acknowledged, s.hello.Chain = s.check.Number, s.sum
	return nil
}

// errEarly is said of what comes before the receiver's answer to the hello.
var errEarly = errors.New("link: acknowledgement before the receiver has answered")

// Acknowledge takes an acknowledgement. One that says less than what is known is ignored.
func (s *Sender) Acknowledge(a *Acknowledgement) error {
	h := &s.hello
	switch {
	case !s.open:
		return errEarly
	case a.Number <= max(h.Acknowledged, s.check.Number):
		return nil
	case a.Number >= s.next:
		return fmt.Errorf("link: shard %d to shard %d: credit %d is acknowledged, and credits to %d were sent",
			h.Pair.From, h.Pair.To, a.Number, s.next-1)
	case s.sent[a.Number%maxFlying].chain != a.Chain:
		return &RefusedError{h.Pair, Refusal{OtherHistory, a.Number, a.Number}}
	}
	for n := h.Acknowledged + 1; n <= a.Number; n++ {
		s.flying -= s.sent[n%maxFlying].bytes
	}
	h.Acknowledged, h.Chain = a.Number, a.Chain
	return nil
}

// Refused takes a refusal by the receiver.
func (s *Sender) Refused(r *Refusal) error { return &RefusedError{s.hello.Pair, *r} }
