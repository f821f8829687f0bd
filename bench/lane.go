package bench

import (
	"encoding/binary"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// lane is one shard's payments as the bytes that go on the wire, in the order in which they are sent, and what the
// replies must be. Every payment has the same size, so number k of the lane begins at k*stride:
//
//	| u32 length | Order message (orderSize) | u32 length | Cert message (certificateSize) |
//
// Over UDP the messages are sent without their lengths. The payments of one account are in order of their sequence
// numbers: number k is of account accounts[k%len(accounts)], sequence number k/len(accounts). A lane is read-only once
// filled.
type lane struct {
	shard     int
	accounts  []int32 // indexes into workload.accounts
	stride    int
	size      int    // payments
	frames    []byte // size * stride
	votes     []byte // size * crypto.SignatureSize: the measured authority's vote for each
	authority codec.Address
}

// Offsets in a payment of a lane, and sizes of what is sent.
const (
	header    = codec.FrameHeaderSize
	kindSize  = 4
	orderAt   = header + kindSize // the order's bytes, as they are in votes too
	orderRaw  = 85 + crypto.SignatureSize
	orderSize = kindSize + orderRaw
	certAt    = header + orderSize // the certificate's frame

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

// newLanes makes an empty lane for each shard, with room for the first total payments of w.
func newLanes(w *workload, shards, total int) []*lane {
	lanes := make([]*lane, shards)
	for s := range lanes {
		lanes[s] = &lane{shard: s, stride: certAt + header + certificateSize(len(w.voters)), authority: w.measured()}
	}
	for i := range w.accounts {
		l := lanes[committee.ShardOf(&w.accounts[i], shards)]
		l.accounts = append(l.accounts, int32(i))
		l.size += total / len(w.accounts)
		if i < total%len(w.accounts) {
			l.size++
		}
	}
	for _, l := range lanes {
		l.frames = make([]byte, l.size*l.stride)
		l.votes = make([]byte, l.size*crypto.SignatureSize)
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
	b = codec.AppendOrder(codec.BeginFrame(b), o)
	codec.EndFrame(b, 0)
	b = codec.AppendCertificate(codec.BeginFrame(b), codec.NewCertificate(o, voters))
	codec.EndFrame(b, certAt)
	copy(l.vote(k), signatures[1][:])
}

func (l *lane) payment(k int) []byte { return l.frames[k*l.stride : (k+1)*l.stride] }

func (l *lane) order(k int) []byte { return l.frames[k*l.stride+header : k*l.stride+certAt] }

func (l *lane) certificate(k int) []byte { return l.frames[k*l.stride+certAt+header : (k+1)*l.stride] }

func (l *lane) vote(k int) []byte {
	return l.votes[k*crypto.SignatureSize : (k+1)*crypto.SignatureSize]
}

// emptyTail is no certificate and an empty list.
const emptyTail = "\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// isOrderReply reports whether message is the reply to the order of payment k: the account, its sequence number, and the
// vote that only the measured authority can make. The balance is not compared; it depends on when credits arrive.
func (l *lane) isOrderReply(k int, message []byte) bool {
	if len(message) != orderReplySize {
		return false
	}
	p := l.payment(k)
	const authorityAt, signatureAt = replyVoteAt + orderRaw, replyVoteAt + orderRaw + 32
	return codec.Kind(binary.LittleEndian.Uint32(message)) == codec.KindInfoResponse &&
		string(message[replyAccountAt:replyBalanceAt]) == string(p[senderAt:senderAt+32]) &&
		string(message[replySequenceAt:replyPendingAt]) == string(p[sequenceAt:sequenceAt+8]) &&
		message[replyPendingAt] == 1 &&
		string(message[replyVoteAt:authorityAt]) == string(p[orderAt:certAt]) &&
		string(message[authorityAt:signatureAt]) == string(l.authority[:]) &&
		string(message[signatureAt:signatureAt+crypto.SignatureSize]) == string(l.vote(k)) &&
		string(message[orderReplySize-replyTail:]) == emptyTail
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
