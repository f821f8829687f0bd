package codec

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// ErrorCode is the closed set of protocol rejections, one to one with the wire's tags.
type ErrorCode uint32

// The 26 rejections, spelled as on the wire.
const (
	InvalidSignature ErrorCode = iota // Text
	UnknownSigner
	CertificateRequiresQuorum
	IncorrectTransferAmount
	UnexpectedSequenceNumber
	InsufficientFunding                  // Balance
	PreviousTransferMustBeConfirmedFirst // Pending
	ErrorWhileProcessingTransferOrder
	ErrorWhileRequestingCertificate
	MissingEalierConfirmations // Sequence
	UnexpectedTransactionIndex
	CertificateNotfound
	UnknownSenderAccount
	CertificateAuthorityReuse
	InvalidSequenceNumber
	SequenceOverflow
	SequenceUnderflow
	AmountOverflow
	AmountUnderflow
	BalanceOverflow
	BalanceUnderflow
	WrongShard
	InvalidCrossShardUpdate
	InvalidDecoding
	UnexpectedMessage
	ClientIoError // Text
	numErrorCodes
)

// Error is a protocol rejection. Only the fields that its code names are sent; the others are zero.
type Error struct {
	Code     ErrorCode
	Text     string  // InvalidSignature, ClientIoError
	Balance  Balance // InsufficientFunding: what the account has
	Pending  Order   // PreviousTransferMustBeConfirmedFirst: a view when decoded
	Sequence uint64  // MissingEalierConfirmations: the number expected next
}

func takeError(b []byte) (e errorView, rest []byte, ok bool) {
	if len(b) < 4 {
		return errorView{}, nil, false
	}
	e.code = ErrorCode(binary.LittleEndian.Uint32(b))
	b = b[4:]
	switch e.code {
	case InvalidSignature, ClientIoError:
		if len(b) < 8 {
			return errorView{}, nil, false
		}
		n := binary.LittleEndian.Uint64(b)
		b = b[8:]
		if n > uint64(len(b)) || !utf8.Valid(b[:n]) {
			return errorView{}, nil, false
		}
		e.field, b = b[:n:n], b[n:]
	case InsufficientFunding:
		if len(b) < 16 {
			return errorView{}, nil, false
		}
		e.field, b = b[:16:16], b[16:]
	case MissingEalierConfirmations:
		if len(b) < 8 {
			return errorView{}, nil, false
		}
		e.field, b = b[:8:8], b[8:]
	case PreviousTransferMustBeConfirmedFirst:
		o, after, ok := takeOrder(b)
		if !ok {
			return errorView{}, nil, false
		}
		e.field, b = o.raw, after
	default:
		if e.code >= numErrorCodes {
			return errorView{}, nil, false
		}
	}
	return e, b, true
}

// errorView is a checked error whose field has not been copied out, so that decoding does not allocate.
type errorView struct {
	code  ErrorCode
	field []byte
}

func (v errorView) value() *Error {
	e := &Error{Code: v.code}
	switch v.code {
	case InvalidSignature, ClientIoError:
		e.Text = string(v.field)
	case InsufficientFunding:
		e.Balance = balanceFromBytes(v.field)
	case MissingEalierConfirmations:
		e.Sequence = binary.LittleEndian.Uint64(v.field)
	case PreviousTransferMustBeConfirmedFirst:
		e.Pending = Order{v.field}
	}
	return e
}

// AppendError appends e as a message.
func AppendError(dst []byte, e *Error) []byte {
	dst = appendKind(dst, KindError)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Code))
	switch e.Code {
	case InvalidSignature, ClientIoError:
		dst = binary.LittleEndian.AppendUint64(dst, uint64(len(e.Text)))
		return append(dst, e.Text...)
	case InsufficientFunding:
		return e.Balance.append(dst)
	case MissingEalierConfirmations:
		return binary.LittleEndian.AppendUint64(dst, e.Sequence)
	case PreviousTransferMustBeConfirmedFirst:
		return append(dst, e.Pending.raw...)
	}
	return dst
}

var errorTexts = [numErrorCodes]string{
	InvalidSignature:                     "Signature is not valid: %s",
	UnknownSigner:                        "Value was not signed by a known authority",
	CertificateRequiresQuorum:            "Signatures in a certificate must form a quorum",
	IncorrectTransferAmount:              "Transfers must have positive amount",
	UnexpectedSequenceNumber:             "The given sequence number must match the next expected sequence number of the account",
	InsufficientFunding:                  "The transferred amount must be not exceed the current account balance: Balance(%s)",
	PreviousTransferMustBeConfirmedFirst: "Cannot initiate transfer while a transfer order is still pending confirmation",
	ErrorWhileProcessingTransferOrder:    "Transfer order was processed but no signature was produced by authority",
	ErrorWhileRequestingCertificate:      "An invalid answer was returned by the authority while requesting a certificate",
	MissingEalierConfirmations:           "Cannot confirm a transfer while previous transfer orders are still pending confirmation: SequenceNumber(%d)",
	UnexpectedTransactionIndex:           "Transaction index must increase by one",
	CertificateNotfound:                  "No certificate for this account and sequence number",
	UnknownSenderAccount:                 "Unknown sender's account",
	CertificateAuthorityReuse:            "Signatures in a certificate must be from different authorities.",
	InvalidSequenceNumber:                "Sequence numbers above the maximal value are not usable for transfers.",
	SequenceOverflow:                     "Sequence number overflow.",
	SequenceUnderflow:                    "Sequence number underflow.",
	AmountOverflow:                       "Amount overflow.",
	AmountUnderflow:                      "Amount underflow.",
	BalanceOverflow:                      "Account balance overflow.",
	BalanceUnderflow:                     "Account balance underflow.",
	WrongShard:                           "Wrong shard used.",
	InvalidCrossShardUpdate:              "Invalid cross shard update.",
	InvalidDecoding:                      "Cannot deserialize.",
	UnexpectedMessage:                    "Unexpected message.",
	ClientIoError:                        "Network error while querying service: %q.",
}

// Error is the prototype's text for the rejection.
func (e *Error) Error() string {
	text := errorTexts[e.Code]
	switch e.Code {
	case InvalidSignature, ClientIoError:
		return fmt.Sprintf(text, e.Text)
	case InsufficientFunding:
		return fmt.Sprintf(text, e.Balance)
	case MissingEalierConfirmations:
		return fmt.Sprintf(text, e.Sequence)
	}
	return text
}

// Is makes errors.Is(err, &Error{Code: c}) compare codes alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
