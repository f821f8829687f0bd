package codec

import (
	"encoding/binary"

	"fastpay/crypto"
)

// Order is a view of a transfer order: a transfer and its sender's signature. The zero value is no order.
type Order struct{ raw []byte }

const minOrderSize = minTransferSize + crypto.SignatureSize

// NewOrder encodes t and its sender's signature into memory of its own. Decoders refuse the order if the signature is one
// that no signer can make (see plausibleSignature) or the recipient's kind is not one of the two.
func NewOrder(t *Transfer, signature *crypto.Signature) Order {
	raw := AppendTransfer(make([]byte, 0, minOrderSize+UserDataSize), t)
	return Order{append(raw, signature[:]...)}
}

// TakeOrder reads an order at the start of b, as Order.Bytes gives it, and returns what follows it.
func TakeOrder(b []byte) (o Order, rest []byte, ok bool) {
	if len(b) < minOrderSize {
		return Order{}, nil, false
	}
	if binary.LittleEndian.Uint32(b[offKind:]) > uint32(FastPay) {
		return Order{}, nil, false
	}
	n := minOrderSize
	switch b[offUserData] {
	case 0:
	case 1:
		n += UserDataSize
		if len(b) < n {
			return Order{}, nil, false
		}
	default:
		return Order{}, nil, false
	}
	if !plausibleSignature(b[n-crypto.SignatureSize : n]) {
		return Order{}, nil, false
	}
	return Order{b[:n:n]}, b[n:], true
}

// plausibleSignature refuses what no signer can make: S, the second half, is below the group order, which is less than
// 2^253. Only the three bits above are looked at, as in the prototype's decoder; the rest is for verification.
func plausibleSignature(s []byte) bool {
	return s[crypto.SignatureSize-1]&0xe0 == 0
}

// IsZero reports whether o is no order.
func (o Order) IsZero() bool { return o.raw == nil }

// Bytes is the encoding: the transfer's bincode, then the signature.
func (o Order) Bytes() []byte { return o.raw }

// TransferBytes is the bincode of the transfer. Orders are the same order when these are equal.
func (o Order) TransferBytes() []byte { return o.raw[:len(o.raw)-crypto.SignatureSize] }

// Sender is the account that pays.
func (o Order) Sender() *Address { return (*Address)(o.raw[offSender:]) }

// RecipientKind tells whether the recipient is on FastPay or on the Primary.
func (o Order) RecipientKind() RecipientKind {
	return RecipientKind(binary.LittleEndian.Uint32(o.raw[offKind:]))
}

// Recipient is the account that is paid.
func (o Order) Recipient() *Address { return (*Address)(o.raw[offRecipient:]) }

// Amount is what is paid.
func (o Order) Amount() uint64 { return binary.LittleEndian.Uint64(o.raw[offAmount:]) }

// SequenceNumber is the sender's count of payments before this one.
func (o Order) SequenceNumber() uint64 { return binary.LittleEndian.Uint64(o.raw[offSequence:]) }

// UserData is the sender's attachment, nil when there is none.
func (o Order) UserData() *[UserDataSize]byte {
	if o.raw[offUserData] == 0 {
		return nil
	}
	return (*[UserDataSize]byte)(o.raw[offUserData+1:])
}

// Signature is the sender's.
func (o Order) Signature() *crypto.Signature {
	return (*crypto.Signature)(o.raw[len(o.raw)-crypto.SignatureSize:])
}

// Transfer copies the transfer out of the view.
func (o Order) Transfer() Transfer {
	t := Transfer{
		Sender:         *o.Sender(),
		Recipient:      Recipient{o.RecipientKind(), *o.Recipient()},
		Amount:         o.Amount(),
		SequenceNumber: o.SequenceNumber(),
	}
	if data := o.UserData(); data != nil {
		t.UserData = UserData{true, *data}
	}
	return t
}

// AppendSignedBytes appends what sender and authorities sign, see Transfer.AppendSignedBytes. BCS differs from bincode
// in the width of the recipient's tag alone.
func (o Order) AppendSignedBytes(dst []byte) []byte {
	dst = append(dst, signedPrefix...)
	dst = append(dst, o.raw[:offKind+1]...)
	return append(dst, o.raw[offRecipient:len(o.raw)-crypto.SignatureSize]...)
}

// AppendOrder appends o as a message.
func AppendOrder(dst []byte, o Order) []byte {
	return append(appendKind(dst, KindOrder), o.raw...)
}
