package authority

import (
	"encoding/binary"
	"slices"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// A writer encodes a shard's records into memory that is used again, and gives them to the log.
type writer struct {
	log     Log
	shard   int
	members *committee.Committee
	buf     []byte
}

func (w *writer) end(b []byte) Position {
	w.buf = b
	return w.log.Append(w.shard, b)
}

func (w *writer) order(o codec.Order) Position {
	return w.end(append(append(w.buf[:0], byte(RecordOrder)), o.Bytes()...))
}

// settlement writes a certificate that was debited. received is nil if the recipient is not of this shard; then to, if it
// is not negative, is the shard that must be credited, with the given number.
func (w *writer) settlement(c codec.Certificate, confirmed, received *chain, to int, number uint64) Position {
	own := w.log.Next()
	b := append(w.buf[:0], byte(RecordSettlement), 0, 0, creditNone)
	b = binary.LittleEndian.AppendUint16(b, uint16(c.NumVotes()))
	b, shape := appendChain(b, own, confirmed)
	b[1] = shape
	if received != nil {
		b, shape = appendChain(b, own, received)
		b[2], b[3] = shape, creditHere
	} else if to >= 0 {
		b[3] = creditAway
		b = binary.LittleEndian.AppendUint16(b, uint16(to))
		b = binary.LittleEndian.AppendUint64(b, number)
	}
	return w.end(w.appendCertificate(b, c))
}

// credit writes a credit of another shard whose settlement is in this log, at a position.
func (w *writer) credit(from int, number uint64, at Position, recipient *codec.Address, amount uint64, received *chain) Position {
	b := w.creditHeader(from, number, 0, received)
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint64(b, amount)
	return w.end(append(b, recipient[:]...))
}

// creditOutside writes a credit of another shard whose settlement is in another log, so the certificate goes into this one.
func (w *writer) creditOutside(from int, number uint64, c codec.Certificate, received *chain) Position {
	return w.end(w.appendCertificate(w.creditHeader(from, number, c.NumVotes(), received), c))
}

func (w *writer) creditHeader(from int, number uint64, votes int, received *chain) []byte {
	b := append(w.buf[:0], byte(RecordCredit), 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(from))
	b = binary.LittleEndian.AppendUint16(b, uint16(votes))
	b = binary.LittleEndian.AppendUint64(b, number)
	b, shape := appendChain(b, w.log.Next(), received)
	b[1] = shape
	return b
}

func (w *writer) appendCertificate(b []byte, c codec.Certificate) []byte {
	b = append(b, c.Order().Bytes()...)
	votes, at := c.NumVotes(), len(b)
	b = slices.Grow(b, votes*(voterSize+crypto.SignatureSize))[:at+votes*(voterSize+crypto.SignatureSize)]
	voters, signatures := b[at:], b[at+votes*voterSize:]
	for i := range votes {
		name, signature := c.Vote(i)
		member, _ := w.members.Index(name) // Precheck refused strangers
		binary.LittleEndian.PutUint16(voters[i*voterSize:], uint16(member))
		*(*crypto.Signature)(signatures[i*crypto.SignatureSize:]) = *signature
	}
	return b
}

func (w *writer) primary(index, amount uint64, recipient *codec.Address) Position {
	b := binary.LittleEndian.AppendUint64(append(w.buf[:0], byte(RecordPrimary)), index)
	b = binary.LittleEndian.AppendUint64(b, amount)
	return w.end(append(b, recipient[:]...))
}

func (w *writer) acknowledged(to int, number, sum uint64) Position {
	b := binary.LittleEndian.AppendUint16(append(w.buf[:0], byte(RecordAcknowledged)), uint16(to))
	b = binary.LittleEndian.AppendUint64(b, number)
	return w.end(binary.LittleEndian.AppendUint64(b, sum))
}

func (w *writer) funded(account *codec.Address, balance codec.Balance) Position {
	b := balance.AppendBytes(append(w.buf[:0], byte(RecordFunded)))
	return w.end(append(b, account[:]...))
}

// AppendStarted appends a record that says in what mode a process begins to append; what modes there are is the caller's
// business.
func AppendStarted(dst []byte, mode byte) []byte {
	return append(dst, byte(RecordStarted), mode)
}
