package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// latencyClient is one payer with a connection to every authority that is up. It has one payment under way at a time.
type latencyClient struct {
	w       *workload
	payer   int
	quorum  int
	conns   []net.Conn // by member; nil for who is down
	up      int
	reading sync.WaitGroup
	answers chan memberAnswer
	timeout time.Duration
	frame   []byte
	message codec.Message
}

// memberAnswer is a reply of one authority, or that its connection broke.
type memberAnswer struct {
	member int
	at     time.Time
	reply  []byte
	err    error
}

// noQuorumError is that too few authorities voted for a certificate.
type noQuorumError struct{ votes, members, quorum int }

func (e *noQuorumError) Error() string {
	return fmt.Sprintf("%d of %d authorities vote, a certificate takes %d", e.votes, e.members, e.quorum)
}

// newLatencyClient connects to each authority; one that refuses is down.
func newLatencyClient(w *workload, bases []int, payer int, timeout time.Duration) (*latencyClient, error) {
	n := len(bases)
	c := &latencyClient{w: w, payer: payer, quorum: quorum(n), conns: make([]net.Conn, n), timeout: timeout,
		answers: make(chan memberAnswer, 2*n)} // one reply, and its end, of each
	for member, base := range bases {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(DefaultOptions().Host, strconv.Itoa(base)), timeout)
		if err != nil {
			continue
		}
		c.conns[member] = conn
		c.up++
		c.reading.Go(func() { c.read(member, conn) })
	}
	if c.up == 0 {
		return nil, errors.New("bench: no authority accepts")
	}
	return c, nil
}

// read hands on the replies of one authority until the connection ends.
func (c *latencyClient) read(member int, conn net.Conn) {
	r := bufio.NewReaderSize(conn, 1<<16)
	for {
		reply, err := readFrame(r, nil)
		c.answers <- memberAnswer{member, time.Now(), reply, err}
		if err != nil {
			return
		}
	}
}

// close ends the connections, and awaits those who read them.
func (c *latencyClient) close() {
	for _, conn := range c.conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
	go func() {
		c.reading.Wait()
		close(c.answers)
	}()
	for range c.answers { // which nobody else reads any more
	}
}

// once makes the payment with this number: the order to all, the certificate of the first quorum of good votes to all.
func (c *latencyClient) once(ctx context.Context, number int) (s LatencySample, err error) {
	t := c.w.transfer(c.payer, number)
	signed := t.AppendSignedBytes(nil)
	var signature crypto.Signature
	c.w.private[c.payer].Sign(&signature, signed)
	order := codec.NewOrder(&t, &signature)
	var votes []codec.VoteEntry
	s.Client = c.payer
	c.frame = codec.AppendOrder(codec.BeginFrame(c.frame[:0]), order)
	good := func(a memberAnswer) error {
		vote, ok := isVoteFor(&c.message, order, &c.w.names[a.member])
		if !ok || !crypto.Verify(&c.w.names[a.member], signed, vote) {
			return fmt.Errorf("authority %d does not vote for an order", a.member)
		}
		votes = append(votes, codec.VoteEntry{Authority: c.w.names[a.member], Signature: *vote})
		return nil
	}
	s.OrderQuorum, s.OrderAll, err = c.ask(ctx, good)
	if err != nil {
		return s, err
	}
	certificate := codec.NewCertificate(order, votes[:c.quorum])
	c.frame = codec.AppendCertificate(codec.BeginFrame(c.frame[:0]), certificate)
	settled := func(a memberAnswer) error {
		info := c.message.InfoResponse()
		if c.message.Kind != codec.KindInfoResponse || info.Account != t.Sender || info.NextSequenceNumber != uint64(number)+1 {
			return fmt.Errorf("authority %d does not settle a payment", a.member)
		}
		return nil
	}
	s.CertificateQuor, s.CertificateAll, err = c.ask(ctx, settled)
	return s, err
}

// ask sends the frame to all, and returns after how many µs a quorum, and all that are up, had given a good answer.
func (c *latencyClient) ask(ctx context.Context, good func(memberAnswer) error) (quorum, all int64, err error) {
	codec.EndFrame(c.frame, 0)
	timeout := time.NewTimer(c.timeout)
	defer timeout.Stop()
	began := time.Now()
	for member, conn := range c.conns {
		if conn == nil {
			continue
		}
		if _, err := conn.Write(c.frame); err != nil {
			return 0, 0, fmt.Errorf("authority %d: %w", member, err)
		}
	}
	for answered := 1; answered <= c.up; answered++ {
		select {
		case a := <-c.answers:
			if a.err != nil {
				return 0, 0, fmt.Errorf("authority %d: %w", a.member, a.err)
			}
			if !c.message.Decode(a.reply) {
				return 0, 0, fmt.Errorf("authority %d sent what is no message", a.member)
			}
			if err := good(a); err != nil {
				return 0, 0, err
			}
			if answered == c.quorum { // with the time that checking the answer took, as a client has it
				quorum = time.Since(began).Microseconds()
			}
			all = a.at.Sub(began).Microseconds()
		case <-timeout.C:
			return 0, 0, fmt.Errorf("%d of %d authorities that are up answered within %v", answered-1, c.up, c.timeout)
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	if c.up < c.quorum {
		return 0, 0, &noQuorumError{c.up, len(c.conns), c.quorum}
	}
	return quorum, max(all, quorum), nil
}
