package bench

import (
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// questions are those of payees who look whether they were paid: so many for every hundred payments that were settled.
// Each goes to all authorities, as a wallet's does, and is answered when a quorum has answered.
type questions struct {
	perPayment float64
	accounts   []codec.Address
	all        []question // the place of question k is k%len(all)
	first      int        // all before it are closed
	asked      int
	open       int
}

// question is one of them.
type question struct {
	at      time.Duration
	answers uint64 // members
	closed  bool
}

func newQuestions(perPayment float64, accounts []codec.Address) *questions {
	return &questions{perPayment: perPayment, accounts: accounts, all: make([]question, maxInfoOwed)}
}

func (q *questions) account(k int) *codec.Address { return &q.accounts[k%len(q.accounts)] }

// ask asks what is due; what has no room waits.
func (q *questions) ask(d *payers) {
	for due := int(float64(d.meter.confirmed) * q.perPayment); q.asked < due; q.asked++ {
		for q.first < q.asked && q.all[q.first%len(q.all)].closed {
			q.first++
		}
		if q.asked-q.first == len(q.all) {
			return
		}
		account := q.account(q.asked)
		shard := int(committee.ShardOf(account, d.shards))
		for member := range d.members {
			d.asides.ask(d, member, shard, request{askInfo, -1, q.asked}, &codec.InfoRequest{Account: *account})
		}
		q.all[q.asked%len(q.all)] = question{at: d.now_}
		q.open++
	}
}

func (q *questions) reply(d *payers, s *seat, r request, message []byte) {
	if d.message.Kind != codec.KindInfoResponse || d.message.InfoResponse().Account != *q.account(r.number) {
		d.refused(s, r, message)
		return
	}
	asked := &q.all[r.number%len(q.all)]
	if r.number < q.first || asked.closed {
		return
	}
	if asked.answers |= bit(s.member); count(asked.answers) >= d.quorum {
		q.close(asked)
		d.meter.informed(d.now_ - asked.at)
	}
}

func (q *questions) close(asked *question) {
	asked.closed = true
	q.open--
}

func (q *questions) expire(d *payers) {
	for k := q.first; k < q.asked; k++ {
		if asked := &q.all[k%len(q.all)]; !asked.closed && d.now_-asked.at >= d.timeout {
			q.close(asked)
			d.meter.refuseFor("info request: no quorum answered in time")
		}
	}
}
