package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

func TestTransferOverNetwork(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol)
			c, accounts := s.networked(t, 2, time.Second)
			for range 20 {
				certificate, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
				if err != nil {
					t.Fatal(err)
				}
				s.certifies(t, certificate)
			}
			c.Close()
			if got := s.balance(3, accounts[1].Address); got != "120" {
				t.Errorf("balance %s", got)
			}
		})
	}
}

// TestTransferWithLoss loses a fifth of all datagrams, both ways.
func TestTransferWithLoss(t *testing.T) {
	s := serve(t, 4, committee.UDP)
	s.lose(0.2)
	c, accounts := s.networked(t, 2, 4*time.Second)
	for range 3 {
		if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
			t.Fatal(err)
		}
	}
	if c.Retransmissions() == 0 {
		t.Error("no retransmissions")
	}
}

// TestDownAuthorities makes a transfer with one authority of four down, and with two, which is an error at once.
func TestDownAuthorities(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol, 0)
			c, accounts := s.networked(t, 2, 2*time.Second)
			start := time.Now()
			if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 1500*time.Millisecond {
				t.Errorf("took %v", took)
			}
			c.Close()

			s = serve(t, 4, protocol, 0, 1)
			c, accounts = s.networked(t, 2, 2*time.Second)
			start = time.Now()
			_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
			const want = `Failed to communicate with a quorum of authorities: Network error while querying service: "Connection refused (os error 111)".`
			if err == nil || err.Error() != want {
				t.Errorf("got error %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if !accounts[0].Pending.IsZero() {
				t.Error("something was signed before anyone could be asked")
			}
		})
	}
}

// TestStartingAuthorities begins before the authorities listen.
func TestStartingAuthorities(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol, 0, 1, 2, 3)
			c, accounts := s.networked(t, 2, 3*time.Second)
			c.network.(*Network).patience.Store(time.Now().Add(startPatience).UnixNano())
			time.AfterFunc(300*time.Millisecond, func() { s.restart(t, protocol) })
			start := time.Now()
			if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
				t.Error(err)
			}
			c.Close()
			if took := time.Since(start); took < 200*time.Millisecond || took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if got := s.balance(3, accounts[0].Address); got != "99" {
				t.Errorf("authority 3 has %s", got)
			}
		})
	}
}

// TestSilentQuorum fails within the time-out, with a clear text.
func TestSilentQuorum(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol)
			for i := range 2 {
				s.authorities[i].set(silent)
			}
			c, accounts := s.networked(t, 2, 300*time.Millisecond)
			start := time.Now()
			_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
			if err == nil || !strings.Contains(err.Error(), "timed out waiting for the answer") {
				t.Errorf("got error %v", err)
			}
			if took := time.Since(start); took < 250*time.Millisecond || took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestInterrupt ends a transfer that waits.
func TestInterrupt(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	for _, a := range s.authorities {
		a.set(silent)
	}
	c, accounts := s.networked(t, 2, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Transfer(ctx, accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	c.Close()
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestReconnect goes on after an authority closed all connections, as a restart does.
func TestReconnect(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, accounts := s.networked(t, 2, time.Second)
	account := accounts[0].Address
	n := c.network.(*Network)
	ask := codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account})
	for range 3 {
		if _, err := n.Exchange(t.Context(), 0, &account, ask); err != nil {
			t.Fatal(err)
		}
		for _, p := range n.peers {
			p.conn.conn.Close() // as seen from here: the next write or read fails
		}
	}
}

// TestExchangeHostile tries peers that send what they should not.
func TestExchangeHostile(t *testing.T) {
	account := testKey(1).Public()
	ask := codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account})
	good := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: account})
	frame := func(m []byte) []byte { f := append(codec.BeginFrame(nil), m...); codec.EndFrame(f, 0); return f }
	for _, h := range []struct {
		name, want string
		send       []byte
	}{
		{"a huge frame", "frame exceeds the largest message allowed", []byte{0xff, 0xff, 0xff, 0xff}},
		{"half a frame", "connection closed by the authority", frame(good)[:20]},
		{"nothing", "connection closed by the authority", nil},
	} {
		t.Run(h.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				readFrame(bufio.NewReader(c), 1<<16)
				c.Write(h.send)
				c.Close()
			}()
			n := NewNetwork(oneMember(t, l.Addr().(*net.TCPAddr).Port, committee.TCP), time.Second, time.Second, 1<<16)
			defer n.Close()
			if _, err := n.Exchange(t.Context(), 0, &account, ask); err == nil || !strings.Contains(err.Error(), h.want) {
				t.Errorf("got error %v", err)
			}
			<-done
		})
	}

	t.Run("datagrams that are no answer", func(t *testing.T) {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 1<<16)
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			other := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: testKey(2).Public()})
			forged := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: account, NextSequenceNumber: 666})
			stranger.WriteTo(forged, from)
			for _, m := range [][]byte{nil, []byte("x"), other, append([]byte(nil), good[:len(good)-1]...), ask, good} {
				c.WriteTo(m, from)
			}
		}()
		n := NewNetwork(oneMember(t, c.LocalAddr().(*net.UDPAddr).Port, committee.UDP), time.Second, time.Second, 1<<15)
		defer n.Close()
		reply, err := n.Exchange(t.Context(), 0, &account, ask)
		if err != nil || string(reply) != string(good) {
			t.Errorf("got %x, %v", reply, err)
		}
		c.Close()
		<-done
	})

	t.Run("a request above the limit", func(t *testing.T) {
		n := NewNetwork(oneMember(t, 1, committee.TCP), time.Second, time.Second, 10)
		defer n.Close()
		if _, err := n.Exchange(t.Context(), 0, &account, ask); err == nil || !strings.Contains(err.Error(), "largest message is 10") {
			t.Errorf("got error %v", err)
		}
	})
}

func oneMember(t *testing.T, port int, protocol committee.Protocol) *committee.Committee {
	t.Helper()
	c, err := committee.New([]committee.Member{{Name: authorityKey(0).Public(), Weight: 1, Protocol: protocol,
		Host: "127.0.0.1", BasePort: port, NumShards: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShardsOnSeveralHosts has an authority whose shards are on two hosts, at the same time as a host for all of them that
// is nobody's.
func TestShardsOnSeveralHosts(t *testing.T) {
	hosts := []string{"127.0.0.1", "127.0.0.2"}
	base, listeners := listenOn(t, hosts)
	for shard, l := range listeners {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go answerOne(c, uint64(shard))
			}
		}()
	}
	c, err := committee.New([]committee.Member{{Name: authorityKey(0).Public(), Weight: 1, Protocol: committee.TCP,
		Host: "127.0.0.9", Hosts: hosts, BasePort: base, NumShards: len(hosts)}})
	if err != nil {
		t.Fatal(err)
	}
	n := NewNetwork(c, time.Second, 5*time.Second, 1<<15)
	defer n.Close()
	for shard := range hosts {
		account := codec.Address{28: byte(shard)}
		reply, err := n.Exchange(t.Context(), 0, &account, codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account}))
		var m codec.Message
		if err != nil || !m.Decode(reply) || m.InfoResponse().NextSequenceNumber != uint64(shard) {
			t.Errorf("shard %d: %x, %v", shard, reply, err)
		}
	}
}

// listenOn listens on ports in a row, each on its host.
func listenOn(t *testing.T, hosts []string) (base int, listeners []net.Listener) {
	t.Helper()
next:
	for range 100 {
		base = 20000 + rand.IntN(10000)
		for i, host := range hosts {
			l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(base+i)))
			if err != nil {
				continue next
			}
			t.Cleanup(func() { l.Close() })
			listeners = append(listeners[:i], l)
		}
		return base, listeners
	}
	t.Fatal("no free ports")
	return 0, nil
}

// answerOne answers a request with a sequence number.
func answerOne(c net.Conn, sequence uint64) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, codec.FrameHeaderSize)); err != nil {
		return
	}
	frame := codec.AppendInfoResponse(codec.BeginFrame(nil), &codec.InfoResponse{NextSequenceNumber: sequence})
	codec.EndFrame(frame, 0)
	if _, err := c.Write(frame); err == nil {
		_, _ = io.Copy(io.Discard, c)
	}
}
