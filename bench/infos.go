package bench

import (
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// infos asks about accounts beside the payments, as payees do who look whether they were paid: for each shard over a
// connection of its own, so many questions for every hundred payments that were confirmed.
type infos struct {
	perPayment float64
	accounts   []codec.Address
	shards     int
	seats      []*seat // by shard; their indexes follow those of the lanes' connections
	sent       []marks // by shard: when each question was asked
	next       int     // account
	asked      int

	message codec.Message
}

// maxInfoOwed is how many answers a shard may owe; beyond it questions wait.
const maxInfoOwed = 4096

// newInfos connects to all shards; the first of them is number index of the poller.
func newInfos(o *Options, w *workload, base, index int, p *poller) (*infos, bool) {
	i := &infos{perPayment: o.Info / 100, accounts: w.accounts, shards: o.NumShards, sent: make([]marks, o.NumShards)}
	for shard := range o.NumShards {
		s := newSeat(0, shard, index+shard, o.Host, base)
		i.seats = append(i.seats, s)
		if !s.connect(p, 0, o.SendTimeout) {
			return i, false
		}
	}
	return i, true
}

// ask sends what is due after so many confirmed payments.
func (i *infos) ask(d *tcpDriver, confirmed int, now time.Duration) {
	due := int(float64(confirmed) * i.perPayment)
	for i.asked < due {
		account := i.next % len(i.accounts)
		shard := int(committee.ShardOf(&i.accounts[account], i.shards))
		s := i.seats[shard]
		if s.owed() >= maxInfoOwed {
			break
		}
		i.next++
		i.asked++
		s.out = appendProbe(s.out, &i.accounts[account])
		s.ask(request{askProbe, -1, account})
		i.sent[shard].add(mark{at: now})
	}
	for _, s := range i.seats {
		if s.written == len(s.out) {
			continue
		}
		n, ok := s.flush(&d.poller)
		d.meter.transferred(n)
		if !ok {
			i.broken(d, s)
		}
	}
}

// ready takes the answers that a shard has sent.
func (i *infos) ready(d *tcpDriver, shard int, now time.Duration) {
	s := i.seats[shard]
	n, ok := s.receive(func(r request, message []byte) { i.take(d, shard, r, message, now) })
	d.meter.transferred(n)
	if !ok {
		i.broken(d, s)
	}
}

func (i *infos) take(d *tcpDriver, shard int, r request, message []byte, now time.Duration) {
	sent := i.sent[shard].first().at
	i.sent[shard].remove()
	if !i.message.Decode(message) || i.message.Kind != codec.KindInfoResponse || i.message.InfoResponse().Account != i.accounts[r.number] {
		d.meter.refuse("info request", message)
		return
	}
	d.meter.informed(now - sent)
}

// broken ends the run: the authority hung up.
func (i *infos) broken(d *tcpDriver, s *seat) {
	if s.fd >= 0 {
		d.why, d.budget = errHungUp, 0
		d.meter.refuseFor("info request: the connection was closed")
	}
	i.sent[s.shard] = marks{}
	s.drop(0)
}

// owed is how many answers are awaited.
func (i *infos) owed() (n int) {
	for _, s := range i.seats {
		n += s.owed()
	}
	return n
}
