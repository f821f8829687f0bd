package authority

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// A RecordKind is the first byte of a record.
type RecordKind uint8

// The kinds of records. Numbers are little-endian, lengths in bytes are in brackets.
//
//	order:        1 | transfer order
//	settlement:   2 | confirmed chain [1] | received chain [1] | credit [1] | votes u16 | links of both chains |
//	              to shard u16, credit number u64, if credit is creditAway | transfer order | voters | signatures
//	credit:       3 | received chain [1] | from shard u16 | votes u16 | credit number u64 | links |
//	              transfer order | voters | signatures, or with 0 votes: settlement's position u64 | amount u64 | recipient [32]
//	primary:      4 | transaction index u64 | amount u64 | recipient [32]
//	funded:       5 | balance i128 | account [32]
//	acknowledged: 6 | to shard u16 | credit number u64 | sum u64
//	started:      7 | mode [1]
//
// Transfer orders are as on the wire. Voters are members of the committee, u16 each, in the order of the certificate, and
// their signatures follow in the same order, so that a certificate can be written out again byte by byte. The received
// chain of a settlement is that of a recipient in the same shard, without links for another one. A vote of this authority's
// own is in no record: Ed25519 is deterministic, so after a crash it is signed again when it is first asked for.
const (
	RecordOrder        RecordKind = 1 + iota // an order was accepted, and our vote may be shown
	RecordSettlement                         // a certificate was debited, and credited if its recipient is here
	RecordCredit                             // a credit of another shard arrived
	RecordPrimary                            // a transaction of the Primary was applied
	RecordFunded                             // an account was added by an operator
	RecordAcknowledged                       // another shard has credits durably up to a number
	RecordStarted                            // a process began to append
)

// Values of a settlement's credit byte.
const (
	creditNone = iota // the recipient is on the Primary
	creditHere
	creditAway
)

// ErrRecord is a record that is malformed, or does not follow from those before it.
var ErrRecord = errors.New("authority: bad record")

// A Record is a view of an encoded record. Fields that its kind does not have are zero.
type Record struct {
	Kind   RecordKind
	Order  codec.Order // of an order, of a settlement, and of a credit that holds its certificate
	To     int         // of a settlement with a credit to another shard, else -1; of acknowledged
	From   int         // of a credit: the shard that debited it
	Number uint64      // of a credit, of a settlement with a credit to another shard, of acknowledged
	At     Position    // of a credit that holds no certificate: where its settlement is

	Account *codec.Address // of a credit or primary, the recipient; of funded
	Amount  uint64         // of a credit or primary
	Index   uint64         // of primary
	Balance codec.Balance  // of funded
	Mode    byte           // of started
	Sum     uint64         // of acknowledged

	credit              byte
	confirmed, received chain
	voters, signatures  []byte
}

const (
	settlementHeader = 6
	creditHeader     = 14
	awaySize         = 10
	maxChainSize     = 24
	voterSize        = 2
)

// MaxRecordSize is the largest record, a settlement that credits an account here, of a committee.
func MaxRecordSize(members int) int {
	return settlementHeader + 2*maxChainSize + maxOrderSize + members*(voterSize+crypto.SignatureSize)
}

// Parse makes r a view of the record b at position at. What is not exactly a record
// fails with ErrRecord, and nothing makes it panic. Nothing is allocated unless it fails.
func (r *Record) Parse(at Position, b []byte) error {
	*r = Record{To: -1, From: -1}
	ok := false
	if len(b) > 0 {
		r.Kind = RecordKind(b[0])
		switch r.Kind {
		case RecordOrder:
			r.Order, ok = parseOrder(b[1:])
		case RecordSettlement:
			ok = r.parseSettlement(at, b)
		case RecordCredit:
			ok = r.parseCredit(at, b)
		default:
			ok = r.parseFixed(b)
		}
	}
	if !ok {
		return fmt.Errorf("%w: %d bytes at %v are no record that this version writes", ErrRecord, len(b), at)
	}
	return nil
}

func parseOrder(b []byte) (codec.Order, bool) {
	o, rest, ok := codec.TakeOrder(b)
	return o, ok && len(rest) == 0
}

// parseFixed reads the kinds of one size.
func (r *Record) parseFixed(b []byte) bool {
	switch {
	case r.Kind == RecordPrimary && len(b) == 49:
		r.Index, r.Amount = binary.LittleEndian.Uint64(b[1:]), binary.LittleEndian.Uint64(b[9:])
		r.Account = (*codec.Address)(b[17:])
	case r.Kind == RecordFunded && len(b) == 49:
		r.Balance = codec.BalanceFromBytes(b[1:])
		r.Account = (*codec.Address)(b[17:])
	case r.Kind == RecordAcknowledged && len(b) == 19:
		r.To, r.Number = int(binary.LittleEndian.Uint16(b[1:])), binary.LittleEndian.Uint64(b[3:])
		r.Sum = binary.LittleEndian.Uint64(b[11:])
	case r.Kind == RecordStarted && len(b) == 2:
		r.Mode = b[1]
	default:
		return false
	}
	return true
}

func (r *Record) parseSettlement(at Position, b []byte) (ok bool) {
	if len(b) < settlementHeader {
		return false
	}
	rest := b[settlementHeader:]
	if r.confirmed, rest, ok = takeChain(rest, b[1], at); !ok {
		return false
	}
	if r.received, rest, ok = takeChain(rest, b[2], at); !ok {
		return false
	}
	r.credit = b[3]
	if r.credit == creditAway {
		if len(rest) < awaySize {
			return false
		}
		r.To, r.Number = int(binary.LittleEndian.Uint16(rest)), binary.LittleEndian.Uint64(rest[2:])
		rest = rest[awaySize:]
	}
	if !r.parseCertificate(rest, int(binary.LittleEndian.Uint16(b[4:]))) {
		return false
	}
	switch r.credit {
	case creditNone:
		return b[2] == 0 && r.Order.RecipientKind() == codec.Primary
	case creditHere:
		return r.Order.RecipientKind() == codec.FastPay
	case creditAway:
		return b[2] == 0 && r.Number > 0 && r.Order.RecipientKind() == codec.FastPay
	}
	return false
}

func (r *Record) parseCredit(at Position, b []byte) (ok bool) {
	if len(b) < creditHeader {
		return false
	}
	votes := int(binary.LittleEndian.Uint16(b[4:]))
	r.From, r.Number = int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint64(b[6:])
	rest := b[creditHeader:]
	if r.received, rest, ok = takeChain(rest, b[1], at); !ok || r.Number == 0 {
		return false
	}
	if votes > 0 {
		if !r.parseCertificate(rest, votes) || r.Order.RecipientKind() != codec.FastPay {
			return false
		}
		r.Account, r.Amount = r.Order.Recipient(), r.Order.Amount()
		return true
	}
	if len(rest) != 48 {
		return false
	}
	r.At, r.Amount = Position(binary.LittleEndian.Uint64(rest)), binary.LittleEndian.Uint64(rest[8:])
	r.Account = (*codec.Address)(rest[16:])
	return r.At != 0 && !r.At.IsProvisional() && r.At < at
}

// parseCertificate reads order, voters and signatures, which are all of b.
func (r *Record) parseCertificate(b []byte, votes int) (ok bool) {
	if r.Order, b, ok = codec.TakeOrder(b); !ok || votes == 0 || len(b) != votes*(voterSize+crypto.SignatureSize) {
		return false
	}
	r.voters, r.signatures = b[:votes*voterSize], b[votes*voterSize:]
	for i := crypto.SignatureSize - 1; i < len(r.signatures); i += crypto.SignatureSize {
		if r.signatures[i]&0xe0 != 0 { // no decoder would take the certificate
			return false
		}
	}
	return true
}

// belongs reports whether a shard of an authority with numShards may write the record: it is about accounts of the shard,
// and credits others for accounts of theirs.
func (r *Record) belongs(shard, numShards int) bool {
	here := func(a *codec.Address) bool { return committee.ShardOf(a, numShards) == shard }
	switch r.Kind {
	case RecordOrder:
		return here(r.Order.Sender())
	case RecordSettlement:
		if !here(r.Order.Sender()) {
			return false
		}
		switch r.credit {
		case creditHere:
			return here(r.Order.Recipient())
		case creditAway:
			return r.To != shard && r.To == committee.ShardOf(r.Order.Recipient(), numShards)
		}
	case RecordCredit:
		return r.From != shard && r.From < numShards && here(r.Account)
	case RecordFunded:
		return here(r.Account)
	case RecordAcknowledged:
		return r.To != shard && r.To < numShards
	}
	return true
}

// Links are where the log of an account's confirmed, or received, certificates was: its last record, the last one whose
// number is a multiple of 32, and of 1,024. 0 is none.
type Links struct{ Tail, Near, Far Position }

// ConfirmedLinks are the links of a settlement in its payer's log, to what was there before it.
func (r *Record) ConfirmedLinks() Links { return r.confirmed.links() }

// ReceivedLinks are those in the log of the recipient, of a settlement that credited it here, or of a credit.
func (r *Record) ReceivedLinks() Links { return r.received.links() }

// CreditsHere reports whether a settlement credits an account of the same shard.
func (r *Record) CreditsHere() bool { return r.Kind == RecordSettlement && r.credit == creditHere }

// NumVotes is the number of votes of the certificate, 0 when the record holds none.
func (r *Record) NumVotes() int { return len(r.voters) / voterSize }

// Vote is vote i of the certificate: the voter's number in the committee, and its signature.
func (r *Record) Vote(i int) (member int, signature *crypto.Signature) {
	return int(binary.LittleEndian.Uint16(r.voters[voterSize*i:])), (*crypto.Signature)(r.signatures[crypto.SignatureSize*i:])
}

// AppendCertificate appends the certificate that the record holds, as codec.Certificate.Bytes was. It fails with
// ErrRecord when there is none, or a voter is not in the committee; dst is as it was then.
func (r *Record) AppendCertificate(dst []byte, c *committee.Committee) ([]byte, error) {
	if r.NumVotes() == 0 {
		return dst, fmt.Errorf("%w: a record of kind %d holds no certificate", ErrRecord, r.Kind)
	}
	start := len(dst)
	dst = append(dst, r.Order.Bytes()...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.NumVotes()))
	for i := range r.NumVotes() {
		member, signature := r.Vote(i)
		if member >= c.Len() {
			return dst[:start], fmt.Errorf("%w: voter %d in a committee of %d", ErrRecord, member, c.Len())
		}
		dst = append(dst, c.Member(member).Name[:]...)
		dst = append(dst, signature[:]...)
	}
	return dst, nil
}
