package authority

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// Records that are as long as they should be and contradict themselves: each differs from a good one in one place.
func TestRecordsThatContradictThemselves(t *testing.T) {
	const at = Position(1<<32 | 1<<20)
	here, primary := certify(newOrder(10, toFastPay(11), 1, 0)), certify(newOrder(10, toPrimary(11), 1, 0))
	settlement := func(c codec.Certificate, received *chain, to int, number uint64) []byte {
		log := newTestLog()
		w := &writer{log: log, members: worldCommittee}
		w.settlement(c, &chain{tail: at - 100}, received, to, number)
		return log.batch[0].record
	}
	credit := func(number uint64, from Position) []byte {
		log := newTestLog()
		w := &writer{log: log, members: worldCommittee}
		received := &chain{tail: at - 200, near: at - 300}
		if o := here.Order(); from != 0 {
			w.credit(1, number, from, o.Recipient(), o.Amount(), received)
		} else {
			w.creditOutside(1, number, here, received)
		}
		return log.batch[0].record
	}
	f := func(name string, good []byte, change func(b []byte) []byte) {
		t.Helper()
		var r Record
		if err := r.Parse(at, good); err != nil {
			t.Fatalf("%s: before: %v", name, err)
		}
		if err := r.Parse(at, change(bytes.Clone(good))); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	set := func(i int, v byte) func([]byte) []byte { return func(b []byte) []byte { b[i] = v; return b } }
	toHere, away := settlement(here, &chain{tail: at - 50}, -1, 0), settlement(here, nil, 2, 7)
	toPrimary := settlement(primary, nil, -1, 0)
	none := settlement(here, &chain{}, -1, 0) // credited here, and the first one
	f("credited nowhere, and not to the Primary", none, set(3, creditNone))
	f("credited here, and to the Primary", toPrimary, set(3, creditHere))
	f("credited in a way that there is none of", none, set(3, creditAway+1))
	received := func(b []byte) []byte { // a link of the payee's log, after that of the payer's
		b[2] = linkAbsolute
		i := settlementHeader + 8
		return append(append(bytes.Clone(b[:i]), binary.LittleEndian.AppendUint64(nil, uint64(at-50))...), b[i:]...)
	}
	f("to the Primary, with a log of the payee", toPrimary, received)
	f("to another shard, with a log of the payee", away, received)
	f("to another shard, without a number", away, func(b []byte) []byte { clear(b[settlementHeader+8+2:][:8]); return b })
	f("to another shard, and to the Primary", away, func(b []byte) []byte {
		return append(b[:settlementHeader+8+awaySize], toPrimary[settlementHeader+8:]...)
	})
	order := here.Order().Bytes()
	f("settled without a vote", toHere, func(b []byte) []byte {
		b[4], b[5] = 0, 0
		return b[:bytes.Index(b, order)+len(order)]
	})
	f("a credit without a number", credit(1, 0), func(b []byte) []byte { clear(b[6:14]); return b })
	f("a credit of a settlement without a number", credit(1, at-10), func(b []byte) []byte { clear(b[6:14]); return b })
	settledAt := func(p Position) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[len(b)-48:], uint64(p)); return b }
	}
	for name, p := range map[string]Position{"nowhere": 0, "itself": at, "what follows": at + 1, "a batch": Provisional(7)} {
		f("a credit that was settled by "+name, credit(1, at-10), settledAt(p))
	}
	f("a credit to the Primary", credit(1, 0), func(b []byte) []byte {
		i := bytes.Index(b, order)
		return append(b[:i], append(bytes.Clone(primary.Order().Bytes()), b[i+len(order):]...)...)
	})
	for vote := range 3 {
		for bit := 5; bit < 8; bit++ { // of the number that every decoder wants to be small
			i := len(toHere) - vote*crypto.SignatureSize - 1
			f("a signature that is none", toHere, set(i, 1<<bit))
		}
	}
}

// The largest record is a settlement with all links, all votes, and user data, and has the size that is promised.
func TestLargestRecord(t *testing.T) {
	log := newTestLog()
	w := &writer{log: log, members: worldCommittee}
	o := signOrder(10, codec.Transfer{Recipient: toFastPay(11), Amount: 1, UserData: codec.UserData{Present: true}})
	links := &chain{tail: 3, near: 2, far: 1}
	w.settlement(certify(o, 0, 1, 2, 3), links, links, -1, 0)
	w.settlement(certify(o, 0, 1, 2, 3), links, nil, 1, 1)
	w.creditOutside(1, 1, certify(o, 0, 1, 2, 3), links)
	largest := 0
	for _, l := range log.batch {
		largest = max(largest, len(l.record))
	}
	if got := MaxRecordSize(4); got != largest {
		t.Errorf("promised %d bytes, the largest has %d", got, largest)
	}
}
