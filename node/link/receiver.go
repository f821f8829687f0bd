package link

import (
	"errors"
	"fmt"

	"fastpay/codec"
)

// Receiver is the other end of a link: which credits have arrived, and are durable. It keeps numbers, not credits. The
// zero value is not usable. It belongs to one goroutine.
//
// For each connection: Hello takes the sender's and gives the answer; Credit takes each credit; Acknowledge says what
// to tell the sender, after Durable was told; Disconnect follows its end. An error ends the connection.
type Receiver struct {
	options ReceiverOptions
	durable Acknowledgement // the cursor, and its chain
	sender  LogID           // of the last connection; zero when there was none

	open bool
	next uint64 // the credit that comes next on this connection
	told uint64 // what the sender knows to be durable
}

// ReceiverOptions say who the receiver is.
type ReceiverOptions struct {
	Authority codec.Address
	Pair      Pair
	Shards    int
	Log       LogID
}

// NewReceiver makes a receiver that knows of no connection, whose cursor is where it is durable.
func NewReceiver(o ReceiverOptions, cursor Acknowledgement) *Receiver {
	return &Receiver{options: o, durable: cursor}
}

var errSecondHello = errors.New("link: a second hello on a connection")

// Hello begins with a new connection. A RefusedError is to be sent to the sender as a Refusal.
func (r *Receiver) Hello(h *Hello) (Welcome, error) {
	if r.open {
		return Welcome{}, errSecondHello
	}
	if err := r.refuses(h); err != nil {
		return Welcome{}, err
	}
	r.open, r.sender = true, h.Log
	r.next, r.told = r.durable.Number+1, r.durable.Number
	return Welcome{r.options.Log, r.durable.Number, r.durable.Chain}, nil
}

// Disconnect tells that the connection has ended. Credits that it brought may still become durable.
func (r *Receiver) Disconnect() { r.open = false }

func (r *Receiver) refuses(h *Hello) error {
	refuse := func(reason Reason, sender, receiver uint64) error {
		return &RefusedError{h.Pair, Refusal{reason, sender, receiver}}
	}
	o, cursor := &r.options, r.durable.Number
	switch {
	case h.Authority != o.Authority:
		return refuse(OtherAuthority, 0, 0)
	case h.Shards != o.Shards:
		return refuse(OtherShards, uint64(h.Shards), uint64(o.Shards))
	case h.Pair != o.Pair:
		return refuse(NoSuchLink, uint64(h.Pair.From), uint64(h.Pair.To))
	case r.sender != LogID{} && r.sender != h.Log:
		return refuse(OtherLog, h.Log.begin(), r.sender.begin())
	case h.Next <= cursor:
		return refuse(SenderBehind, h.Next-min(h.Next, 1), cursor)
	case h.Acknowledged > cursor:
		return refuse(ReceiverBehind, h.Acknowledged, cursor)
	case h.Acknowledged == cursor && h.Chain != r.durable.Chain:
		return refuse(OtherHistory, cursor, cursor)
	}
	return nil
}

var errNoHello = errors.New("link: credit before a hello")

// Credit takes the number of a credit that arrived. One that came before on this connection is not fresh, and is to be
// dropped; one that leaves a gap is an error. A fresh one is to be applied, unless it was when it had come over an
// earlier connection: who applies it compares the number with its own cursor.
func (r *Receiver) Credit(number uint64) (fresh bool, err error) {
	switch {
	case !r.open:
		return false, errNoHello
	case number < r.next:
		return false, nil
	case number > r.next:
		return false, fmt.Errorf("link: shard %d to shard %d: credit %d came after credit %d", r.options.Pair.From,
			r.options.Pair.To, number, r.next-1)
	}
	r.next++
	return true, nil
}

// Durable tells that the credits up to a number are applied and durable. The chain is that of the credits that were
// applied, not of what came over some connection.
func (r *Receiver) Durable(a Acknowledgement) {
	if a.Number > r.durable.Number {
		r.durable = a
	}
}

// Acknowledge is what the sender should be told; ok is false when it knows.
func (r *Receiver) Acknowledge() (a Acknowledgement, ok bool) {
	// What an earlier connection brought may become durable before this one has brought it again. The sender has not
	// sent it on this one, so it is told of it later.
	if !r.open || r.durable.Number <= r.told || r.durable.Number >= r.next {
		return Acknowledgement{}, false
	}
	r.told = r.durable.Number
	return r.durable, true
}

// Refused takes a refusal by the sender.
func (r *Receiver) Refused(f *Refusal) error { return &RefusedError{r.options.Pair, *f} }
