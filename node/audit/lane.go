package audit

import (
	"fmt"
	"math/big"

	"fastpay/codec"
	"fastpay/node/authority"
)

// lane is the credits from one shard to another one. Issued and acknowledged are known to the paying shard, cursor to the
// credited one; of a pair at least one of the two shards is in the journal.
//
// Both sides sum up the orders of all credits between journals, one after the other (codec.Order.AddTo), so that not their
// numbers alone are compared, but what was paid to whom. The sum at the cursor is in snapshots; the payer has there the sum
// at the last acknowledgement, and what came after that is in the journal, since it may have to be sent again.
type lane struct {
	from, to                     int
	issued, acknowledged, cursor uint64

	cursorSum       uint64
	acknowledgedSum uint64
	after           []sentCredit // credits after the last one that was acknowledged
	unknown         bool         // some of these are not, as their segment is gone or damaged
}

// sentCredit is a credit to a shard of another journal.
type sentCredit struct {
	number, amount uint64
	sum            uint64 // of all orders up to it
}

// send takes in a settlement with a credit to another journal.
func (l *lane) send(r *authority.Record) {
	last := sentCredit{number: l.acknowledged, sum: l.acknowledgedSum}
	if n := len(l.after); n > 0 {
		last = l.after[n-1]
	}
	switch {
	case r.Number <= last.number:
		return // it was acknowledged before the snapshot
	case r.Number != last.number+1:
		l.unknown = true
		return
	}
	l.after = append(l.after, sentCredit{r.Number, r.Order.Amount(), r.Order.AddTo(last.sum)})
}

// sumAt is the payer's sum of all credits up to a number, if it is known.
func (l *lane) sumAt(number uint64) (sum uint64, ok bool) {
	if number == l.acknowledged {
		return l.acknowledgedSum, true
	}
	if i := number - l.acknowledged - 1; !l.unknown && number > l.acknowledged && i < uint64(len(l.after)) {
		return l.after[i].sum, true
	}
	return 0, false
}

// acknowledge takes in that the credited shard has all up to a number, and says whether that was another history.
func (l *lane) acknowledge(number, sum uint64) (problem string) {
	if own, ok := l.sumAt(number); ok && own != sum {
		problem = fmt.Sprintf("credits of shard %d to %d up to %d are acknowledged with sum %x, but sum %x was sent: the receiver "+
			"has had others", l.from, l.to, number, sum, own)
	}
	if passed := number - l.acknowledged; number > l.acknowledged {
		l.after = append(l.after[:0], l.after[min(passed, uint64(len(l.after))):]...)
		l.acknowledged, l.acknowledgedSum = number, sum
	}
	return problem
}

// amountAfter is the money of all credits after a number.
func (l *lane) amountAfter(number uint64) (sum *big.Int, ok bool) {
	if _, ok := l.sumAt(number); !ok || l.acknowledged+uint64(len(l.after)) < l.issued {
		return nil, false
	}
	sum = new(big.Int)
	for _, c := range l.after[number-l.acknowledged:] {
		sum.Add(sum, new(big.Int).SetUint64(c.amount))
	}
	return sum, true
}

// take takes in a credit, which holds its certificate if it came from another journal.
func (l *lane) take(number uint64, o codec.Order) {
	l.cursor = number
	if !o.IsZero() {
		l.cursorSum = o.AddTo(l.cursorSum)
	}
}
