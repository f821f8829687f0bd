package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"fastpay/codec"
)

// payer pays from some accounts until told to stop, over one connection for each shard, and remembers everything that it
// was told.
type payer struct {
	w        *world
	accounts []int
	rng      *rand.Rand
	h        *history
	certs    []map[uint64]codec.Certificate // by account and number, all that were ever made
	paid     atomic.Int64
}

// newPayer pays from every nth account, beginning with the first.
func newPayer(w *world, rng *rand.Rand, first, nth int) *payer {
	p := &payer{w: w, rng: rng, h: newHistory(w)}
	for range w.accounts {
		p.certs = append(p.certs, make(map[uint64]codec.Certificate))
	}
	for a := first; a < len(w.accounts); a += nth {
		p.accounts = append(p.accounts, a)
	}
	return p
}

// run pays until the context ends. A connection that breaks is made again.
func (p *payer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.session(ctx); err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
	return nil
}

var errGone = errors.New("the authority is gone")

func (p *payer) session(ctx context.Context) error {
	var conns []*client
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for shard := range p.w.members[0].NumShards {
		sock, err := net.DialTimeout("tcp", p.w.address(shard), time.Second)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			return errGone
		}
		conns = append(conns, &client{t: p.w.t, Conn: sock, in: bufio.NewReader(sock)})
	}
	for ctx.Err() == nil {
		if err := p.pay(conns); err != nil {
			return err
		}
	}
	return nil
}

// pay makes one payment from some account: an order, now and then a conflicting one first or last, and its certificate.
func (p *payer) pay(conns []*client) error {
	account := p.accounts[p.rng.IntN(len(p.accounts))]
	c := conns[p.w.shardOf(account)]
	ask := func(m []byte) (*codec.Message, error) {
		reply, err := c.tryAsk(m)
		if err != nil {
			return nil, errGone
		}
		return reply, p.h.heard(account, reply)
	}
	reply, err := ask(infoRequest(p.w, account))
	if err != nil {
		return err
	}
	number := reply.InfoResponse().NextSequenceNumber
	if number < p.h.next[account] {
		return fmt.Errorf("account %d is back at %d, was told %d", account, number, p.h.next[account])
	}
	if cert, ok := p.certs[account][number]; ok { // sent before, without an answer
		if _, err := ask(codec.AppendCertificate(nil, cert)); err != nil {
			return err
		}
		p.paid.Add(1)
		return nil
	}
	for range 1 + p.rng.IntN(2) { // a second one conflicts, unless it is the same
		o := p.w.order(account, p.rng.IntN(len(p.w.accounts)), 1+p.rng.Uint64N(3), number)
		if _, err := ask(codec.AppendOrder(nil, o)); err != nil {
			return err
		}
	}
	voted, ok := p.h.voted[account][number]
	if !ok {
		return nil // no money
	}
	cert := p.w.certificate(voted)
	p.certs[account][number] = cert
	if _, err := ask(codec.AppendCertificate(nil, cert)); err != nil {
		return err
	}
	p.paid.Add(1)
	return nil
}

// accountOf is the number of the account with an address.
func (w *world) accountOf(a *codec.Address) int {
	for i, k := range w.accounts {
		if k.Public() == *a {
			return i
		}
	}
	w.t.Fatal("nobody's address")
	return 0
}
