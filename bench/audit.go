package bench

import (
	"bufio"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"strconv"
	"time"

	"fastpay/codec"
)

// books is what the accounts add up to, as the authority tells over the wire.
type books struct {
	balance   codec.Balance
	redeemed  uint64 // what has left FastPay, by these numbers and the payments that were prepared
	confirmed uint64 // sum of the next sequence numbers
	digest    uint64 // of all accounts: equal when each has the same balance and number, whatever their order
}

// auditChunk is how many requests are written before their replies are read: neither side's socket buffer fills.
const auditChunk = 256

// readBooks asks every account of the lanes for its state, over TCP.
func readBooks(host string, base int, lanes []*lane, w *workload, timeout time.Duration) (books, error) {
	return readBooksBy(readShard, host, base, lanes, w, timeout)
}

// shardReader adds up the accounts of a shard.
type shardReader func(host string, port int, of []int32, w *workload, timeout time.Duration) (books, error)

func readBooksBy(read shardReader, host string, base int, lanes []*lane, w *workload, timeout time.Duration) (books, error) {
	parts := make([]books, len(lanes))
	failures := make([]error, len(lanes))
	parallel(len(lanes), 1, func(i int) {
		parts[i], failures[i] = read(host, base+lanes[i].shard, lanes[i].accounts, w, timeout)
	})
	var total books
	for i := range parts {
		sum, ok := total.balance.Add(parts[i].balance)
		if !ok {
			return books{}, errors.New("bench: audit: the balances do not fit in 128 bits")
		}
		total.balance = sum
		total.redeemed += parts[i].redeemed
		total.confirmed += parts[i].confirmed
		total.digest += parts[i].digest
	}
	if err := errors.Join(failures...); err != nil {
		return books{}, fmt.Errorf("bench: audit: %w", err)
	}
	return total, nil
}

func readShard(host string, port int, of []int32, w *workload, timeout time.Duration) (total books, err error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), timeout)
	if err != nil {
		return books{}, err
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 1<<16)
	var out, in []byte
	for len(of) > 0 {
		chunk := of[:min(auditChunk, len(of))]
		of = of[len(chunk):]
		if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
			return books{}, err
		}
		out = out[:0]
		for _, account := range chunk {
			out = appendProbe(out, &w.accounts[account])
		}
		if _, err := c.Write(out); err != nil {
			return books{}, err
		}
		for _, account := range chunk {
			if in, err = readFrame(r, in); err != nil {
				return books{}, err
			}
			if err := total.add(in, w, int(account)); err != nil {
				return books{}, err
			}
		}
	}
	return total, nil
}

// readFrame reads one message into b, grown as needed.
func readFrame(r *bufio.Reader, b []byte) ([]byte, error) {
	head, err := r.Peek(codec.FrameHeaderSize)
	if err != nil {
		return b, err
	}
	size, err := codec.FrameSize(head, codec.DefaultMaxMessage)
	if err != nil {
		return b, err
	}
	if cap(b) < size {
		b = make([]byte, size)
	}
	b = b[:size]
	if _, err := io.ReadFull(r, b); err != nil {
		return b, err
	}
	return b[codec.FrameHeaderSize:], nil
}

// add books the reply to an info request.
func (t *books) add(message []byte, w *workload, i int) error {
	account := &w.accounts[i]
	var m codec.Message
	switch {
	case !m.Decode(message):
		return fmt.Errorf("account %x: the reply is not a message", account[:8])
	case m.Kind == codec.KindError:
		return fmt.Errorf("account %x: %w", account[:8], m.Error())
	case m.Kind != codec.KindInfoResponse || m.InfoResponse().Account != *account:
		return fmt.Errorf("account %x: the reply is not about it", account[:8])
	}
	info := m.InfoResponse()
	sum, ok := t.balance.Add(info.Balance)
	if !ok {
		return errors.New("the balances do not fit in 128 bits")
	}
	t.balance = sum
	t.confirmed += info.NextSequenceNumber
	t.redeemed += w.redeemed(i, info.NextSequenceNumber)
	h := fnv.New64a()
	_, _ = h.Write(message[replyAccountAt:replyPendingAt]) // never fails
	t.digest += h.Sum64()
	return nil
}

// creditsArriveWithin is how long credits between shards may take after the last confirmation.
const creditsArriveWithin = time.Second

// auditEvery is the pause between two readings while credits may still be under way.
const auditEvery = 50 * time.Millisecond

// audit reads the books until they balance; ended is when the last payment was confirmed. A reading that begins later
// than creditsArriveWithin is the last.
func audit(read func() (books, error), minted codec.Balance, ended time.Time) (conserved bool, last books, err error) {
	for {
		began := time.Now()
		if last, err = read(); err != nil {
			return false, last, err
		}
		if sum, ok := last.balance.Add(codec.NewBalance(last.redeemed)); ok && sum == minted {
			return true, last, nil
		}
		if began.Sub(ended) > creditsArriveWithin {
			return false, last, nil
		}
		time.Sleep(auditEvery)
	}
}

// mintedBy is what so many accounts hold at the start. It is added up by doubling, since a balance has no product.
func mintedBy(accounts int, each uint64) codec.Balance {
	var total codec.Balance
	part := codec.NewBalance(each)
	for n := accounts; n > 0; n >>= 1 {
		if n&1 == 1 {
			total, _ = total.Add(part) // 10 million times 2^32: far below 2^127
		}
		part, _ = part.Add(part)
	}
	return total
}
