package sim

import (
	"fmt"
	"io"
	"math/rand/v2"

	"fastpay/codec"
)

var eventNames = [numEventKinds]string{"request", "reply", "send", "batch", "commit", "credit", "ack", "resend", "dial", "wire", "fund",
	"snapshot",
	"timer", "wake", "gift", "crash", "restart", "partition", "heal", "mint"}

// describe is an event in one line.
func (w *World) describe(e *event) string {
	return fmt.Sprintf("%6d.%03d ms %-9s %d -> %d  %s", e.at/1000, e.at%1000, eventNames[e.kind], e.from, e.to,
		describeMessage(e))
}

func describeMessage(e *event) string {
	if e.kind == eventGift {
		if c, err := codec.ParseCertificate(e.data); err == nil {
			return "certificate " + describeOrder(c.Order())
		}
	}
	var m codec.Message
	if e.data == nil || !m.Decode(e.data) {
		return ""
	}
	switch m.Kind {
	case codec.KindOrder:
		return "order " + describeOrder(m.Order())
	case codec.KindCertificate:
		return fmt.Sprintf("certificate of %d, %s", m.Certificate().NumVotes(), describeOrder(m.Certificate().Order()))
	case codec.KindCrossShard:
		return "credit " + describeOrder(m.Certificate().Order())
	case codec.KindError:
		return "error " + m.ErrorCode().String()
	case codec.KindInfoRequest:
		q := m.InfoRequest()
		return fmt.Sprintf("info %x? certificate %v %d, received %v %d", q.Account[:3], q.HasSequence, q.Sequence,
			q.HasReceived, q.ReceivedAfter)
	case codec.KindInfoResponse:
		r := m.InfoResponse()
		vote := ""
		if !r.Pending.IsZero() {
			vote = ", vote for " + describeOrder(r.Pending.Order())
		}
		return fmt.Sprintf("account %x has %v, next %d%s", r.Account[:3], r.Balance, r.NextSequenceNumber, vote)
	}
	return m.Kind.String()
}

// randomBytes makes a reader of a world's randomness.
type randomBytes struct{ rng *rand.Rand }

// Read fills b.
func (r randomBytes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.rng.Uint32())
	}
	return len(b), nil
}

var _ io.Reader = randomBytes{}
