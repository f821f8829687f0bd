package authority

import (
	"encoding/binary"

	"fastpay/codec"
)

// Info answers a question about an account: UnknownSenderAccount when it is not there; CertificateNotfound when the
// certificate asked for, or the first of the received ones, is not in the log or has left the archive. An index beyond
// the received log gives an empty list.
//
// The list of received certificates ends before the reply exceeds maxReply bytes (at most Options.MaxMessage), the first
// one apart, which only needs to fit in a message; the client asks again from where the list ends. The rest of the reply
// always fits in a message, and is not bounded by maxReply.
func (s *Shard) Info(dst []byte, q *codec.InfoRequest, maxReply int) Outcome {
	a := s.table.find(&q.Account)
	if a == nil {
		return refuse(dst, errUnknownSender)
	}
	start := len(dst)
	out := s.acceptHeader(dst, a)
	if q.HasSequence {
		pos, ok := s.findConfirmed(a, q.Sequence)
		if !ok {
			return refuse(dst, errNotFound)
		}
		out.Reply = append(out.Reply, 1)
		out.Reply = append(out.Reply, s.archive.certificate(pos)...)
	} else {
		out.Reply = append(out.Reply, 0)
	}
	count := len(out.Reply)
	out.Reply = binary.LittleEndian.AppendUint64(out.Reply, 0)
	if q.HasReceived && sabotaged("authority: the index of an info request is not checked") {
		_ = s.positions[q.ReceivedAfter]
	}
	if !q.HasReceived || q.ReceivedAfter >= a.received {
		return out
	}
	reply, n, ok := s.appendReceived(out.Reply, start, a, q.ReceivedAfter, maxReply)
	if !ok {
		return refuse(dst, errNotFound)
	}
	binary.LittleEndian.PutUint64(reply[count:], n)
	out.Reply = reply
	return out
}

func (s *Shard) findConfirmed(a *account, sequence uint64) (pos uint64, ok bool) {
	first := a.next - a.confirmed
	if sabotaged("authority: the certificate before the one asked for is shown") {
		first++
	}
	if sequence < first || sequence >= a.next {
		return 0, false
	}
	return s.archive.find(a.confirmedTail, a.confirmed, sequence-first+1, logConfirmed)
}

// appendReceived appends the received certificates after the first skip (fewer than there are), as many as fit. The log
// leads backwards, so it goes to the last one that could fit if all were of the smallest size, notes the positions on
// the way back to the first one wanted, and copies from there.
func (s *Shard) appendReceived(dst []byte, start int, a *account, skip uint64, maxReply int) (
	reply []byte, n uint64, ok bool) {
	limit := min(maxReply, s.maxMessage)
	most := max((limit-(len(dst)-start))/s.minCertificate, 1)
	want := min(a.received-skip, uint64(most))
	pos, ok := s.archive.find(a.receivedTail, a.received, skip+want, logReceived)
	if !ok {
		return dst, 0, false
	}
	positions := s.positions[:want]
	for i := len(positions) - 1; i >= 0; i-- {
		if !s.archive.has(pos) {
			return dst, 0, false
		}
		positions[i] = pos
		pos = s.archive.links(pos, logReceived).previous
	}
	for i, pos := range positions {
		c := s.archive.certificate(pos)
		if size := len(dst) - start + len(c); size > s.maxMessage || i > 0 && size > limit {
			break
		}
		dst = append(dst, c...)
		n++
	}
	return dst, n, true
}
