package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"fastpay/codec"
	"fastpay/codec/mangle"
	"fastpay/crypto"
)

// How much attackers do over TCP, in a second, all together.
const (
	churnPerSecond    = 1000 // connections
	garbagePerSecond  = 200  // connections, each with
	garbageFrames     = 50   // damaged messages
	questionPerSecond = 1000 // with answers of up to 64 KiB
	forgeryPerSecond  = 5000 // orders with bad signatures
	talkers           = 20   // connections that these come over
	reopenPerTick     = 20   // connections that were closed, and are opened again
	unfinishedBytes   = 60_000
	dialTimeout       = 10 * time.Second // of a machine that is busy
)

// dial connects to a shard, from one of many addresses, so that ports don't run out.
func (a *attacker) dial(n int) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: dialTimeout, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+n%200), 1)}}
	c, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", a.Port+n%a.Shards))
	if err != nil {
		a.counts.failed.Add(1)
		return nil, err
	}
	a.counts.connections.Add(1)
	return c.(*net.TCPConn), nil
}

// abort closes c at once, so that it leaves nothing in the kernel.
func abort(c *net.TCPConn) {
	if c != nil {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// hold has connections open that say nothing, a byte a second, or a part of a frame. One that was closed is opened again.
func (a *attacker) hold() error {
	open := make([]*net.TCPConn, a.Connections)
	for i := range open {
		c, err := a.dial(i)
		if err != nil {
			return fmt.Errorf("bench: hostile connection %d: %w", i+1, err)
		}
		open[i] = c
		a.greet(c)
	}
	request := framed(codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: a.Accounts[0]}))
	a.all.Go(func() {
		next, said := 0, make([]int, len(open))
		a.paced(len(open), func(n int) {
			reopen := reopenPerTick
			for ; n > 0; n-- {
				i := next % len(open)
				next++
				if open[i] != nil && !a.remain(open[i], request[said[i]%len(request)]) {
					a.counts.closed.Add(1)
					abort(open[i])
					open[i] = nil
				}
				said[i]++
				if open[i] == nil && reopen > 0 {
					reopen--
					if c, err := a.dial(next); err == nil {
						open[i], said[i] = c, 0
						a.greet(c)
					}
				}
			}
		})
		for _, c := range open {
			abort(c)
		}
	})
	return nil
}

// greet is what a connection begins with.
func (a *attacker) greet(c *net.TCPConn) {
	if a.Attack == AttackNeverFinish {
		n, err := c.Write(binary.LittleEndian.AppendUint32(make([]byte, 0, unfinishedBytes), codec.DefaultMaxMessage)[:unfinishedBytes])
		a.sent(n, err)
	}
}

// remain is what a connection does once a second; it reports whether it is still open.
func (a *attacker) remain(c *net.TCPConn, b byte) bool {
	if a.Attack == AttackSlow {
		n, err := c.Write([]byte{b})
		return a.sent(n, err)
	}
	_ = c.SetReadDeadline(time.Now())
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// come makes connections that go at once, each in another manner.
func (a *attacker) come() {
	perSecond, do := churnPerSecond, a.churn
	if a.Attack == AttackGarbage {
		perSecond, do = garbagePerSecond, a.garbage()
	}
	a.all.Go(func() {
		count := 0
		a.paced(perSecond, func(n int) {
			for ; n > 0; n-- {
				if c, err := a.dial(count); err == nil {
					do(c, count)
				}
				count++
			}
		})
	})
}

func (a *attacker) churn(c *net.TCPConn, count int) {
	request := framed(codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: a.Accounts[count%len(a.Accounts)]}))
	send := func(b []byte) { n, err := c.Write(b); a.sent(n, err) }
	switch count % 6 {
	case 1:
		send(request[:10])
	case 2:
		send(request)
	case 3:
		send(append(request, request[:7]...))
	case 4:
		send(request)
		_ = c.CloseWrite()
	case 5:
		_ = c.Close()
		return
	}
	abort(c)
}

// garbage sends damaged messages, and lengths that can't be.
func (a *attacker) garbage() func(c *net.TCPConn, count int) {
	m := mangle.New(a.Seed, a.messages())
	var out []byte
	return func(c *net.TCPConn, count int) {
		out = out[:0]
		switch count % 4 {
		case 0, 1:
			for range garbageFrames {
				out = append(out, framed(m.Next())...)
			}
		case 2: // nothing is a frame
			out = append(out, m.Next()...)
		case 3:
			out = append(out, framed(m.Next())...)
			out = binary.LittleEndian.AppendUint32(out, uint32(codec.DefaultMaxMessage+1+a.random.Uint32N(1<<20)))
			if count%8 == 3 {
				binary.LittleEndian.PutUint32(out[len(out)-4:], 1<<32-1)
			}
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write(out)
		a.sent(n, err)
		abort(c)
	}
}

// talk keeps some connections busy with questions whose answers nobody reads, or with bad orders.
func (a *attacker) talk() error {
	perSecond := forgeryPerSecond
	if a.Attack == AttackNeverRead {
		perSecond = questionPerSecond
	}
	open := make([]*net.TCPConn, talkers)
	for i := range open {
		c, err := a.dialTalker(i)
		if err != nil {
			return fmt.Errorf("bench: hostile connection: %w", err)
		}
		open[i] = c
	}
	a.all.Go(func() {
		count := 0
		a.paced(perSecond, func(n int) {
			for ; n > 0; n-- {
				i := count % talkers
				count++
				if open[i] == nil {
					open[i], _ = a.dialTalker(count)
					continue
				}
				_ = open[i].SetWriteDeadline(time.Now().Add(time.Millisecond))
				n, err := open[i].Write(framed(a.talkerMessage(count)))
				if !a.sent(n, err) {
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						a.counts.closed.Add(1)
					}
					abort(open[i])
					open[i] = nil
				}
			}
		})
		for _, c := range open {
			abort(c)
		}
	})
	return nil
}

func (a *attacker) dialTalker(n int) (*net.TCPConn, error) {
	c, err := a.dial(n)
	if err != nil {
		return nil, err
	}
	if a.Attack == AttackNeverRead {
		_ = c.SetReadBuffer(4096)
		return c, nil
	}
	a.all.Go(func() { // answers are read, or the connection would be closed for that
		b := make([]byte, 16<<10)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
		}
	})
	return c, nil
}

func (a *attacker) talkerMessage(count int) []byte {
	if a.Attack == AttackNeverRead {
		return codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: a.Accounts[count%len(a.Accounts)], HasReceived: true})
	}
	return a.forgedOrder()
}

// forgedOrder is an order of an account that there is, whose signature decodes and does not verify.
func (a *attacker) forgedOrder() []byte {
	var sig crypto.Signature
	for i := range sig {
		sig[i] = byte(a.random.Uint32())
	}
	sig[len(sig)-1] &= 0x0f
	t := codec.Transfer{
		Sender: a.Accounts[a.random.IntN(len(a.Accounts))], Amount: 1, SequenceNumber: a.random.Uint64N(1 << 20),
		Recipient: codec.Recipient{Kind: codec.FastPay, Address: a.Accounts[0]},
	}
	return codec.AppendOrder(nil, codec.NewOrder(&t, &sig))
}

// messages are well-formed ones of all kinds.
func (a *attacker) messages() [][]byte {
	var m codec.Message
	order := a.forgedOrder()
	m.Decode(order)
	votes := make([]codec.VoteEntry, 3)
	for i := range votes {
		votes[i].Authority = a.Accounts[i%len(a.Accounts)]
	}
	cert := codec.NewCertificate(m.Order(), votes)
	info := &codec.InfoResponse{Account: a.Accounts[0], Certificate: cert}
	info.Received = info.Received.Append(cert)
	return [][]byte{
		order, codec.AppendVote(nil, codec.NewVote(m.Order(), &a.Accounts[0], m.Order().Signature())),
		codec.AppendCertificate(nil, cert), codec.AppendCrossShard(nil, cert),
		codec.AppendError(nil, &codec.Error{Code: codec.InvalidSignature, Text: "of the sender"}),
		codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: a.Accounts[0], HasSequence: true, HasReceived: true}),
		codec.AppendInfoResponse(nil, info),
	}
}

// framed is a message with its length.
func framed(message []byte) []byte {
	b := append(codec.BeginFrame(make([]byte, 0, len(message)+codec.FrameHeaderSize)), message...)
	codec.EndFrame(b, 0)
	return b
}
