package link

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fastpay/codec"
)

// Kind is a message's first byte.
type Kind byte

// The messages of a link; see the package comment for their bytes and directions.
const (
	KindHello Kind = iota + 1
	KindWelcome
	KindCredit
	KindAcknowledgement
	KindRefusal
)

// Pair is a link: the shard whose account pays, and the one whose account is paid.
type Pair struct{ From, To int }

// LogID is the random name that a journal got when it was begun.
type LogID [16]byte

// begin is the first half of the name, for messages.
func (id LogID) begin() uint64 { return binary.BigEndian.Uint64(id[:]) }

// Hello opens a connection, from the sender.
type Hello struct {
	Authority    codec.Address
	Pair         Pair
	Shards       int // of the authority
	Log          LogID
	Next         uint64 // number of the first credit that is not issued yet
	Acknowledged uint64 // what the sender knows to be durable at the receiver, and may have discarded
	Chain        Chain  // of credits 1 to Acknowledged
}

// Welcome is the receiver's answer.
type Welcome struct {
	Log    LogID  // of the receiver
	Cursor uint64 // all credits up to this number are durable
	Chain  Chain  // of credits 1 to Cursor
}

// Acknowledgement says that all credits up to a number are durable at the receiver.
type Acknowledgement struct {
	Number uint64
	Chain  Chain // of credits 1 to Number
}

// Credit is one credit. Its certificate is a view of what was decoded.
type Credit struct {
	Number      uint64
	Certificate codec.Certificate
}

// Message is a decoded message; Kind says which field holds it.
type Message struct {
	Kind            Kind
	Hello           Hello
	Welcome         Welcome
	Credit          Credit
	Acknowledgement Acknowledgement
	Refusal         Refusal
}

// Sizes of messages, kind included.
const (
	helloSize           = 1 + 32 + 3*4 + 16 + 3*8
	welcomeSize         = 1 + 16 + 2*8
	acknowledgementSize = 1 + 2*8
	refusalSize         = 1 + 1 + 2*8
	creditHeaderSize    = 1 + 8
)

// MaxMessage is the longest message when certificates have at most the given number of votes.
func MaxMessage(votes int) int {
	return max(helloSize, creditHeaderSize+codec.MaxCertificateSize(votes))
}

// ErrMessage is a message that does not decode.
var ErrMessage = errors.New("link: malformed message")

// Decode reads a message without its frame. A certificate is a view of b.
func (m *Message) Decode(b []byte) error {
	if len(b) == 0 {
		return fmt.Errorf("%w: it is empty", ErrMessage)
	}
	m.Kind = Kind(b[0])
	want := 0
	switch m.Kind {
	case KindHello:
		want = helloSize
	case KindWelcome:
		want = welcomeSize
	case KindAcknowledgement:
		want = acknowledgementSize
	case KindRefusal:
		want = refusalSize
	case KindCredit:
		return m.Credit.decode(b)
	default:
		return fmt.Errorf("%w: kind %d", ErrMessage, b[0])
	}
	if len(b) != want {
		return fmt.Errorf("%w: kind %d with %d bytes, expected %d", ErrMessage, b[0], len(b), want)
	}
	switch body := b[1:]; m.Kind {
	case KindHello:
		return m.Hello.decode(body)
	case KindWelcome:
		m.Welcome = Welcome{LogID(body[:16]), word(body[16:]), Chain(word(body[24:]))}
	case KindAcknowledgement:
		m.Acknowledgement = Acknowledgement{word(body), Chain(word(body[8:]))}
	case KindRefusal:
		m.Refusal = Refusal{Reason(body[0]), word(body[1:]), word(body[9:])}
	}
	return nil
}

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// maxShards is the largest number of shards that can be: each has a port.
const maxShards = 1 << 16

func (h *Hello) decode(body []byte) error {
	h.Authority = codec.Address(body[:32])
	var shards [3]int
	for i := range shards {
		v := binary.LittleEndian.Uint32(body[32+4*i:])
		if v > maxShards {
			return fmt.Errorf("%w: shard or number of shards %d", ErrMessage, v)
		}
		shards[i] = int(v)
	}
	h.Pair, h.Shards = Pair{shards[0], shards[1]}, shards[2]
	h.Log = LogID(body[44:60])
	h.Next, h.Acknowledged, h.Chain = word(body[60:]), word(body[68:]), Chain(word(body[76:]))
	return nil
}

func (c *Credit) decode(b []byte) error {
	if len(b) < creditHeaderSize {
		return fmt.Errorf("%w: credit of %d bytes", ErrMessage, len(b))
	}
	cert, err := codec.ParseCertificate(b[creditHeaderSize:])
	if err != nil {
		return fmt.Errorf("%w: credit with bytes that are no certificate", ErrMessage)
	}
	c.Number, c.Certificate = word(b[1:]), cert
	return nil
}

// AppendFrame appends the message with its frame.
func (h *Hello) AppendFrame(dst []byte) []byte {
	dst = beginFrame(dst, KindHello, helloSize)
	dst = append(dst, h.Authority[:]...)
	for _, v := range [3]int{h.Pair.From, h.Pair.To, h.Shards} {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	dst = append(dst, h.Log[:]...)
	return appendWords(dst, h.Next, h.Acknowledged, uint64(h.Chain))
}

// AppendFrame appends the message with its frame.
func (w *Welcome) AppendFrame(dst []byte) []byte {
	dst = append(beginFrame(dst, KindWelcome, welcomeSize), w.Log[:]...)
	return appendWords(dst, w.Cursor, uint64(w.Chain))
}

// AppendFrame appends the message with its frame.
func (a *Acknowledgement) AppendFrame(dst []byte) []byte {
	return appendWords(beginFrame(dst, KindAcknowledgement, acknowledgementSize), a.Number, uint64(a.Chain))
}

// AppendFrame appends the message with its frame.
func (c *Credit) AppendFrame(dst []byte) []byte {
	cert := c.Certificate.Bytes()
	dst = appendWords(beginFrame(dst, KindCredit, creditHeaderSize+len(cert)), c.Number)
	return append(dst, cert...)
}

// AppendFrame appends the message with its frame.
func (r *Refusal) AppendFrame(dst []byte) []byte {
	dst = append(beginFrame(dst, KindRefusal, refusalSize), byte(r.Reason))
	return appendWords(dst, r.Sender, r.Receiver)
}

func beginFrame(dst []byte, kind Kind, size int) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(size)), byte(kind))
}

func appendWords(dst []byte, words ...uint64) []byte {
	for _, w := range words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}
