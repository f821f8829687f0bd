package authority

import (
	"encoding/binary"

	"fastpay/codec"
)

// Info answers a question about an account: UnknownSenderAccount when it is not there, CertificateNotfound when the
// certificate asked for is not in its confirmed log. Certificates are in the log, and reading it may have to wait, so
// where the answer shows some, the reply ends before them, and the Fetch is what a Reader finishes it with. An index
// beyond the received log gives an empty list.
//
// The list of received certificates ends before the reply exceeds maxReply bytes (at most Options.MaxMessage), the first
// one apart, which only needs to fit in a message; the client asks again from where the list ends. The rest of the reply
// always fits in a message, and is not bounded by maxReply.
func (s *Shard) Info(dst []byte, q *codec.InfoRequest, maxReply int) (Outcome, Fetch) {
	a := s.table.find(&q.Account)
	if a == nil {
		return refuse(dst, errUnknownSender), Fetch{}
	}
	var want uint64
	if q.HasSequence {
		first := a.next - a.confirmed
		if q.Sequence < first || q.Sequence >= a.next {
			return refuse(dst, errNotFound), Fetch{}
		}
		want = q.Sequence - first + 1
		if want > 1 && sabotaged("authority: the certificate before the one asked for is shown") {
			want--
		}
	}
	lists := q.HasReceived && q.ReceivedAfter < a.received
	if q.HasReceived && sabotaged("authority: the index of an info request is not checked") {
		lists = true
	}
	out := s.acceptHeader(dst, a)
	if want == 0 && !lists {
		out.Reply = append(out.Reply, 0)
		out.Reply = binary.LittleEndian.AppendUint64(out.Reply, 0)
		return out, Fetch{}
	}
	f := Fetch{
		account: q.Account, header: len(out.Reply) - len(dst), limit: min(maxReply, s.maxMessage),
		confirmed: a.confirmed, confirmedChain: a.confirmedChain, want: want,
		received: a.received, receivedChain: a.receivedChain, skip: a.received,
	}
	if lists {
		f.skip = q.ReceivedAfter
	}
	return out, f
}
