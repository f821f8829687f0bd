package bench

import (
	"encoding/binary"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// lane is what goes to one shard over one connection, as the bytes on the wire, in the order in which they are sent, and
// what the replies must be. Every payment has the same size, so number k of the lane begins at k*stride:
//
//	| u32 length | Order message (orderSize) | u32 length | Cert message (certificateSize) |
//
// or, where a phase is measured alone, only one of the two. Over UDP the messages are sent without their lengths. The
// payments of one account are in order of their sequence
// numbers: number k is of account accounts[k%len(accounts)], sequence number k/len(accounts). A lane is read-only once
// filled.
type lane struct {
	shard     int
	holds     requests
	raw       int     // bytes of an order, without its kind: orderRaw, or more with user data
	accounts  []int32 // indexes into workload.accounts
	stride    int
	size      int    // payments
	frames    []byte // size * stride
	votes     []byte // size * crypto.SignatureSize: the measured authority's vote for each
	authority codec.Address
}

// requests says which requests of its payments a lane holds.
type requests uint8

const (
	both requests = iota
	ordersOnly
	certificatesOnly
)

// stride is the size of a payment in a lane that holds these, with so many votes in a certificate and orders of raw bytes.
func (q requests) stride(votes, raw int) int {
	certificate := header + certificateSize(votes) + raw - orderRaw
	switch q {
	case ordersOnly:
		return orderAt + raw
	case certificatesOnly:
		return certificate
	}
	return orderAt + raw + certificate
}

// Offsets in a payment of a lane, and sizes of what is sent. A certificate begins with its order, so senderAt and
// sequenceAt hold in lanes of certificates too.
const (
	header    = codec.FrameHeaderSize
	kindSize  = 4
	orderAt   = header + kindSize         // the order's bytes, as they are in votes too
	orderRaw  = 85 + crypto.SignatureSize // without user data
	orderSize = kindSize + orderRaw
	certAt    = header + orderSize // the certificate's frame, without user data

	senderAt   = orderAt
	sequenceAt = orderAt + 76
)

// certificateSize is the length of a Cert message with so many votes.
func certificateSize(votes int) int { return kindSize + orderRaw + 8 + votes*codec.VoteEntrySize }

// Replies, as messages. An InfoResponse holds, in this order: account, balance, next sequence number,
// optional pending vote, optional certificate, list of certificates.
const (
	replyAccountAt  = kindSize
	replyBalanceAt  = replyAccountAt + 32
	replySequenceAt = replyBalanceAt + 16
	replyPendingAt  = replySequenceAt + 8
	replyVoteAt     = replyPendingAt + 1
	replyTail       = 1 + 8 // no certificate, no list

	voteSize         = orderRaw + codec.VoteEntrySize
	orderReplySize   = replyVoteAt + voteSize + replyTail
	confirmReplySize = replyPendingAt + 1 + replyTail
)

// newLanes makes an empty lane for each connection of each shard, with room for the first total payments of w. The
// connections of a shard take its accounts in turn, and their lanes are next to each other.
func newLanes(w *workload, shards, connections, total int, holds requests) []*lane {
	lanes := make([]*lane, shards*connections)
	raw := orderRaw
	if w.withData() {
		raw += codec.UserDataSize
	}
	for i := range lanes {
		lanes[i] = &lane{shard: i / connections, holds: holds, raw: raw, stride: holds.stride(len(w.voters), raw), authority: w.measured()}
	}
	turn := make([]int, shards)
	for i := range w.accounts {
		s := committee.ShardOf(&w.accounts[i], shards)
		l := lanes[s*connections+turn[s]]
		turn[s] = (turn[s] + 1) % connections
		l.accounts = append(l.accounts, int32(i))
		l.size += total / len(w.accounts)
		if i < total%len(w.accounts) {
			l.size++
		}
	}
	for _, l := range lanes {
		l.frames = make([]byte, l.size*l.stride)
		if holds != certificatesOnly {
			l.votes = make([]byte, l.size*crypto.SignatureSize)
		}
	}
	return lanes
}

// put writes payment k: signatures holds the sender's, the measured authority's, and then those of the voters.
func (l *lane) put(k int, t *codec.Transfer, voters []codec.VoteEntry, signatures []crypto.Signature) {
	for i := range voters {
		voters[i].Signature = signatures[2+i]
	}
	o := codec.NewOrder(t, &signatures[0])
	b := l.frames[k*l.stride : k*l.stride : (k+1)*l.stride]
	if l.holds != certificatesOnly {
		b = codec.AppendOrder(codec.BeginFrame(b), o)
		codec.EndFrame(b, 0)
		copy(l.vote(k), signatures[1][:])
	}
	if l.holds != ordersOnly {
		start := len(b)
		b = codec.AppendCertificate(codec.BeginFrame(b), codec.NewCertificate(o, voters))
		codec.EndFrame(b, start)
	}
}

func (l *lane) payment(k int) []byte { return l.frames[k*l.stride : (k+1)*l.stride] }

func (l *lane) order(k int) []byte { return l.frames[k*l.stride+header : k*l.stride+orderAt+l.raw] }

// certificate is that of payment k, in a lane that holds both.
func (l *lane) certificate(k int) []byte {
	return l.frames[k*l.stride+orderAt+l.raw+header : (k+1)*l.stride]
}

func (l *lane) vote(k int) []byte {
	return l.votes[k*crypto.SignatureSize : (k+1)*crypto.SignatureSize]
}

// emptyTail is no certificate and an empty list.
const emptyTail = "\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// isOrderReply reports whether message is the reply to the order of payment k: the account, its sequence number, and the
// vote that only the measured authority can make. The balance is not compared; it depends on when credits arrive.
func (l *lane) isOrderReply(k int, message []byte) bool {
	if len(message) != orderReplySize+l.raw-orderRaw {
		return false
	}
	p := l.payment(k)
	authorityAt := replyVoteAt + l.raw
	signatureAt := authorityAt + 32
	return codec.Kind(binary.LittleEndian.Uint32(message)) == codec.KindInfoResponse &&
		string(message[replyAccountAt:replyBalanceAt]) == string(p[senderAt:senderAt+32]) &&
		string(message[replySequenceAt:replyPendingAt]) == string(p[sequenceAt:sequenceAt+8]) &&
		message[replyPendingAt] == 1 &&
		string(message[replyVoteAt:authorityAt]) == string(p[orderAt:orderAt+l.raw]) &&
		string(message[authorityAt:signatureAt]) == string(l.authority[:]) &&
		string(message[signatureAt:signatureAt+crypto.SignatureSize]) == string(l.vote(k)) &&
		string(message[len(message)-replyTail:]) == emptyTail
}

// isConfirmReply reports whether message is the reply to the certificate of payment k: the sequence number has moved, and
// nothing is pending.
func (l *lane) isConfirmReply(k int, message []byte) bool {
	if len(message) != confirmReplySize {
		return false
	}
	p := l.payment(k)
	return codec.Kind(binary.LittleEndian.Uint32(message)) == codec.KindInfoResponse &&
		string(message[replyAccountAt:replyBalanceAt]) == string(p[senderAt:senderAt+32]) &&
		binary.LittleEndian.Uint64(message[replySequenceAt:]) == binary.LittleEndian.Uint64(p[sequenceAt:])+1 &&
		message[replyPendingAt] == 0 &&
		string(message[confirmReplySize-replyTail:]) == emptyTail
}
