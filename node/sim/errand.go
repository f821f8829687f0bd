package sim

import (
	"errors"

	"fastpay/codec"
	"fastpay/node/client"
)

// An errand is a client's driver at work over the world's network: it sends what the driver wants sent, again when no
// answer comes, and in the end tells the driver that there will be none.
type errand struct {
	w      *World
	client int32
	serial uint64 // names the errand in references
	driver *client.Driver
	sent   []sentRequest // by ID - 1
	told   bool          // its client knows the outcome
}

type sentRequest struct {
	member, shard int
	tries         int
	answered      bool
	data          []byte
}

// requestTries is how often a request is sent before its authority counts as silent.
const requestTries = 4

var errSilent = errors.New("sim: no answer")

// retryAfter is when a client takes a request for lost: after the longest way there and back that is not slow.
func (w *World) retryAfter() uint64 {
	return 4*w.plan.DelayMax + 2*w.plan.BatchMax + 2*w.plan.SyncMax + 1000
}

func (w *World) begin(from int32, serial uint64, d *client.Driver) *errand {
	e := &errand{w: w, client: from, serial: serial, driver: d, sent: make([]sentRequest, 0, 2*w.plan.Members)}
	e.flush()
	w.push(event{kind: eventTimer, to: from, ref: serial}, w.retryAfter())
	return e
}

// flush sends what the driver wants sent.
func (e *errand) flush() {
	for _, r := range e.driver.Requests() {
		e.sent = append(e.sent, sentRequest{r.Authority, shardOf(&r.Account, e.w.plan.Shards), 1, false, r.Message})
		e.send(len(e.sent), uint64(r.Delay.Microseconds()))
		e.w.pool.keep(r.Message)
	}
}

func (e *errand) send(id int, delay uint64) {
	s := &e.sent[id-1]
	if delay > 0 {
		e.w.push(event{kind: eventSend, from: e.client, to: int32(s.member), shard: int16(s.shard), ref: e.ref(id),
			data: s.data}, delay)
		return
	}
	e.w.request(e.client, s.member, s.shard, e.ref(id), s.data)
}

func (e *errand) ref(id int) uint64 { return e.serial<<32 | uint64(id) }

// reply gives the driver an answer, every time that it comes.
func (e *errand) reply(id int, data []byte) {
	if id < 1 || id > len(e.sent) {
		return
	}
	e.sent[id-1].answered = true
	e.driver.Reply(id, data)
	e.flush()
}

// tick looks at what is late.
func (e *errand) tick() {
	for i := range e.sent {
		switch s := &e.sent[i]; {
		case s.answered:
		case s.tries < requestTries:
			s.tries++
			e.w.count.Retransmitted++
			e.send(i+1, 0)
		default:
			s.answered = true
			e.w.count.Timeouts++
			e.driver.Fail(i+1, errSilent)
		}
	}
	e.flush()
	if !e.driver.Idle() {
		e.w.push(event{kind: eventTimer, to: e.client, ref: e.serial}, e.w.retryAfter())
	}
}

// paid is the account that a certificate credits on FastPay.
func paid(c codec.Certificate) (to *codec.Address, ok bool) {
	return c.Order().Recipient(), c.Order().RecipientKind() == codec.FastPay
}
