package codec

import (
	"encoding/binary"
	"strconv"
	"strings"
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

// Error is a protocol rejection: the answer of an authority that did not do what it was asked. Only the fields that its
// code names are sent; the others are zero. errors.Is compares codes.
type Error struct {
	Code     ErrorCode
	Text     string  // InvalidSignature, ClientIoError
	Balance  Balance // InsufficientFunding: what the account has
	Pending  Order   // PreviousTransferMustBeConfirmedFirst: a view when decoded
	Sequence uint64  // MissingEalierConfirmations: the number expected next
}

// errorView is a checked error whose field has not been copied out, so that decoding does not allocate.
type errorView struct {
	code  ErrorCode
	field []byte // as encoded, a text without its length
}

// takeError reads an error at the start of b and returns what follows it.
func takeError(b []byte) (v errorView, rest []byte, ok bool) {
	if len(b) < 4 {
		return errorView{}, nil, false
	}
	v.code = ErrorCode(binary.LittleEndian.Uint32(b))
	b = b[4:]
	n := 0 // length of the field
	switch v.code {
	case InvalidSignature, ClientIoError:
		if len(b) < lengthSize {
			return errorView{}, nil, false
		}
		claimed := binary.LittleEndian.Uint64(b)
		b = b[lengthSize:]
		if claimed > uint64(len(b)) || !utf8.Valid(b[:claimed]) {
			return errorView{}, nil, false
		}
		n = int(claimed)
	case InsufficientFunding:
		n = balanceSize
	case MissingEalierConfirmations:
		n = 8
	case PreviousTransferMustBeConfirmedFirst:
		o, _, ok := TakeOrder(b)
		if !ok {
			return errorView{}, nil, false
		}
		n = len(o.raw)
	default:
		if v.code >= numErrorCodes {
			return errorView{}, nil, false
		}
	}
	if len(b) < n {
		return errorView{}, nil, false
	}
	v.field = b[:n:n]
	return v, b[n:], true
}

func (v errorView) value() *Error {
	e := &Error{Code: v.code}
	switch v.code {
	case InvalidSignature, ClientIoError:
		e.Text = string(v.field)
	case InsufficientFunding:
		e.Balance = BalanceFromBytes(v.field)
	case MissingEalierConfirmations:
		e.Sequence = binary.LittleEndian.Uint64(v.field)
	case PreviousTransferMustBeConfirmedFirst:
		e.Pending = Order{v.field}
	}
	return e
}

// AppendError appends e as a message. What is not UTF-8 in its text is replaced by U+FFFD, since no decoder takes it. It
// panics if e is none of the 26 rejections, or lacks the pending order that its code promises.
func AppendError(dst []byte, e *Error) []byte {
	if e.Code >= numErrorCodes || e.Code == PreviousTransferMustBeConfirmedFirst && e.Pending.IsZero() {
		panic("codec: AppendError: not a protocol error")
	}
	dst = appendKind(dst, KindError)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Code))
	switch e.Code {
	case InvalidSignature, ClientIoError:
		text := strings.ToValidUTF8(e.Text, "\ufffd")
		dst = binary.LittleEndian.AppendUint64(dst, uint64(len(text)))
		return append(dst, text...)
	case InsufficientFunding:
		return e.Balance.AppendBytes(dst)
	case MissingEalierConfirmations:
		return binary.LittleEndian.AppendUint64(dst, e.Sequence)
	case PreviousTransferMustBeConfirmedFirst:
		return append(dst, e.Pending.raw...)
	}
	return dst
}

// errorWords has each rejection's name, and its text up to the field.
var errorWords = [numErrorCodes]struct{ name, text string }{
	InvalidSignature:          {"InvalidSignature", "Signature is not valid: "},
	UnknownSigner:             {"UnknownSigner", "Value was not signed by a known authority"},
	CertificateRequiresQuorum: {"CertificateRequiresQuorum", "Signatures in a certificate must form a quorum"},
	IncorrectTransferAmount:   {"IncorrectTransferAmount", "Transfers must have positive amount"},
	UnexpectedSequenceNumber: {"UnexpectedSequenceNumber",
		"The given sequence number must match the next expected sequence number of the account"},
	InsufficientFunding: {"InsufficientFunding",
		"The transferred amount must be not exceed the current account balance: "},
	PreviousTransferMustBeConfirmedFirst: {"PreviousTransferMustBeConfirmedFirst",
		"Cannot initiate transfer while a transfer order is still pending confirmation: "},
	ErrorWhileProcessingTransferOrder: {"ErrorWhileProcessingTransferOrder",
		"Transfer order was processed but no signature was produced by authority"},
	ErrorWhileRequestingCertificate: {"ErrorWhileRequestingCertificate",
		"An invalid answer was returned by the authority while requesting a certificate"},
	MissingEalierConfirmations: {"MissingEalierConfirmations",
		"Cannot confirm a transfer while previous transfer orders are still pending confirmation: "},
	UnexpectedTransactionIndex: {"UnexpectedTransactionIndex", "Transaction index must increase by one"},
	CertificateNotfound:        {"CertificateNotfound", "No certificate for this account and sequence number"},
	UnknownSenderAccount:       {"UnknownSenderAccount", "Unknown sender's account"},
	CertificateAuthorityReuse: {"CertificateAuthorityReuse",
		"Signatures in a certificate must be from different authorities."},
	InvalidSequenceNumber: {"InvalidSequenceNumber",
		"Sequence numbers above the maximal value are not usable for transfers."},
	SequenceOverflow:        {"SequenceOverflow", "Sequence number overflow."},
	SequenceUnderflow:       {"SequenceUnderflow", "Sequence number underflow."},
	AmountOverflow:          {"AmountOverflow", "Amount overflow."},
	AmountUnderflow:         {"AmountUnderflow", "Amount underflow."},
	BalanceOverflow:         {"BalanceOverflow", "Account balance overflow."},
	BalanceUnderflow:        {"BalanceUnderflow", "Account balance underflow."},
	WrongShard:              {"WrongShard", "Wrong shard used."},
	InvalidCrossShardUpdate: {"InvalidCrossShardUpdate", "Invalid cross shard update."},
	InvalidDecoding:         {"InvalidDecoding", "Cannot deserialize."},
	UnexpectedMessage:       {"UnexpectedMessage", "Unexpected message."},
	ClientIoError:           {"ClientIoError", "Network error while querying service: "},
}

// String is the rejection's name as the protocol spells it, for logs and metrics.
func (c ErrorCode) String() string {
	if c >= numErrorCodes {
		return "ErrorCode(" + strconv.FormatUint(uint64(c), 10) + ")"
	}
	return errorWords[c].name
}

// Error is the prototype's text for the rejection.
func (e *Error) Error() string {
	if e.Code >= numErrorCodes {
		return "codec: unknown " + e.Code.String()
	}
	text := errorWords[e.Code].text
	switch e.Code {
	case InvalidSignature:
		return text + e.Text
	case ClientIoError:
		return string(append(appendQuoted([]byte(text), e.Text), '.'))
	case InsufficientFunding:
		return text + "Balance(" + e.Balance.String() + ")"
	case MissingEalierConfirmations:
		return text + "SequenceNumber(" + strconv.FormatUint(e.Sequence, 10) + ")"
	case PreviousTransferMustBeConfirmedFirst:
		return string(e.Pending.AppendDebug([]byte(text)))
	}
	return text
}

// Is makes errors.Is(err, &Error{Code: c}) compare codes alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
