package bench

import (
	"context"
	"fmt"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// orders is what a generator sends to a whole committee: the payers' signatures are made beforehand, the certificates from
// the votes that come back. Payment k is of account from+k%accounts and has sequence number k/accounts.
type orders struct {
	*workload
	from       int // the first of the accounts that pay
	payers     int
	total      int                // payments
	signatures []crypto.Signature // of payment k
	elapsed    time.Duration
}

// prepareOrders signs the first total payments of the accounts from..to-1, on all CPUs.
func prepareOrders(ctx context.Context, w *workload, from, to, total int, p *progress) (*orders, error) {
	began := time.Now()
	o := &orders{workload: w, from: from, payers: to - from, total: total, signatures: make([]crypto.Signature, total)}
	parallel(o.payers, 1, func(i int) {
		if ctx.Err() == nil {
			o.sign(i)
			p.add(o.rounds(i))
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bench: preparing payments: %w", err)
	}
	o.elapsed = time.Since(began)
	return o, nil
}

// rounds is how many payments payer i makes.
func (o *orders) rounds(i int) int { return (o.total - i + o.payers - 1) / o.payers }

// sign signs all payments of payer i, with all of a key at once.
func (o *orders) sign(i int) {
	n := max(0, o.rounds(i))
	text := make([]byte, 0, n*codec.MaxSignedSize)
	messages, made := make([][]byte, n), make([]crypto.Signature, n)
	for r := range messages {
		t := o.transfer(o.from+i, r)
		start := len(text)
		text = t.AppendSignedBytes(text)
		messages[r] = text[start:]
	}
	key := deriveKey("account", o.seed, o.from+i)
	key.SignBatch(made, messages)
	for r := range made {
		o.signatures[r*o.payers+i] = made[r]
	}
}

// account is that of payment k.
func (o *orders) account(k int) int { return o.from + k%o.payers }

// order is that of payment k.
func (o *orders) order(k int) codec.Order {
	t := o.transfer(o.account(k), k/o.payers)
	return codec.NewOrder(&t, &o.signatures[k])
}

// rival is an order of the same payer with the same number for another amount: what a payer who pays twice sends.
func (o *orders) rival(k int) codec.Order {
	t := o.transfer(o.account(k), k/o.payers)
	t.Amount++
	var signature crypto.Signature
	deriveKey("account", o.seed, o.account(k)).Sign(&signature, t.AppendSignedBytes(nil))
	return codec.NewOrder(&t, &signature)
}

// shards says in which shard each payer lives.
func (o *orders) shards(n int) []int32 {
	of := make([]int32, o.payers)
	for i := range of {
		of[i] = int32(committee.ShardOf(&o.accounts[o.from+i], n))
	}
	return of
}
