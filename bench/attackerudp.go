package bench

import (
	"encoding/binary"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"fastpay/codec"
	"fastpay/codec/mangle"
)

// How many datagrams attackers send in a second.
const (
	floodPerSecond = 20_000
	floodSockets   = 4
)

// datagrams gives what a flood is made of: damaged messages, good questions, bad orders, messages that are no requests,
// nothing at all, and much of nothing.
func (a *attacker) datagrams() func() []byte {
	m := mangle.New(a.Seed, a.messages())
	large := make([]byte, 60_000)
	count := 0
	return func() []byte {
		count++
		switch count % 8 {
		case 0:
			return a.forgedOrder()
		case 1:
			return codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: a.Accounts[count%len(a.Accounts)], HasReceived: true})
		case 2:
			return codec.AppendError(nil, &codec.Error{Code: codec.WrongShard})
		case 3:
			if count%64 == 3 {
				return large
			}
			return nil
		}
		return m.Next()
	}
}

// flood sends from a few sockets, and reads nothing.
func (a *attacker) flood() error {
	var open []net.Conn
	for i := range floodSockets {
		c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", a.Port+i%a.Shards))
		if err != nil {
			return fmt.Errorf("bench: hostile socket: %w", err)
		}
		open = append(open, c)
	}
	next := a.datagrams()
	a.all.Go(func() {
		count := 0
		a.paced(floodPerSecond, func(n int) {
			for ; n > 0; n-- {
				b := next()
				_, err := open[count%len(open)].Write(b)
				a.sent(len(b), err)
				count++
			}
		})
		for _, c := range open {
			_ = c.Close()
		}
	})
	return nil
}

// unable tells why this machine can't run the attack.
func (a *attacker) unable() string {
	if a.Attack != AttackForged {
		return ""
	}
	s, err := rawSocket()
	if err != nil {
		return "a raw socket needs CAP_NET_RAW"
	}
	_ = unix.Close(s)
	return ""
}

func rawSocket() (int, error) { return unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW) }

// forge sends datagrams that claim to come from others: half of them from a port of the authority itself, so that it
// would answer itself, half from any address of 127.0.0.0/8.
func (a *attacker) forge() error {
	s, err := rawSocket()
	if err != nil {
		return fmt.Errorf("bench: raw socket: %w", err)
	}
	next := a.datagrams()
	a.all.Go(func() {
		defer unix.Close(s)
		packet, count := make([]byte, 0, 1<<16), 0
		a.paced(floodPerSecond, func(n int) {
			for ; n > 0; n-- {
				count++
				from, port := [4]byte{127, 0, 0, 1}, a.Port+count%a.Shards
				if count%2 == 0 {
					binary.BigEndian.PutUint32(from[:], 127<<24|a.random.Uint32N(1<<24))
					port = 1024 + a.random.IntN(60_000)
				}
				to := a.Port + a.random.IntN(a.Shards)
				packet = appendDatagram(packet[:0], from, port, to, next())
				err := unix.Sendto(s, packet, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
				a.sent(len(packet), err)
			}
		})
	})
	return nil
}

// Sizes of the headers of IPv4, without options, and of UDP.
const (
	ipHeader  = 20
	udpHeader = 8
)

// appendDatagram appends a packet for 127.0.0.1. The kernel fills in the length and the checksum of IP, and UDP needs none.
func appendDatagram(dst []byte, from [4]byte, fromPort, toPort int, message []byte) []byte {
	dst = append(dst, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0)
	dst = append(dst, from[:]...)
	dst = append(dst, 127, 0, 0, 1)
	dst = binary.BigEndian.AppendUint16(dst, uint16(fromPort))
	dst = binary.BigEndian.AppendUint16(dst, uint16(toPort))
	dst = binary.BigEndian.AppendUint16(dst, uint16(udpHeader+len(message)))
	dst = binary.BigEndian.AppendUint16(dst, 0)
	return append(dst, message...)
}
