package codec

import (
	"encoding/binary"
	"strconv"
)

// MaxSequenceNumber is the largest sequence number that a transfer order may have.
const MaxSequenceNumber = 1<<63 - 1

// UserDataSize is the length of the optional data that a payer may attach.
const UserDataSize = 32

// UserData is the payer's optional attachment. The zero value is "none".
type UserData struct {
	Present bool
	Bytes   [UserDataSize]byte // zero when not present
}

// RecipientKind tells which ledger the recipient lives on.
type RecipientKind uint32

// The tags of the wire's Address enum.
const (
	Primary RecipientKind = 0
	FastPay RecipientKind = 1
)

// String is the name of the ledger, as the prototype spells it.
func (k RecipientKind) String() string {
	switch k {
	case Primary:
		return "Primary"
	case FastPay:
		return "FastPay"
	}
	return "RecipientKind(" + strconv.FormatUint(uint64(k), 10) + ")"
}

// Recipient is where a transfer goes. What is encoded has one of the two kinds.
type Recipient struct {
	Kind    RecipientKind
	Address Address
}

// Transfer is the content of a transfer order (paper, section 4.2). Two orders are the same order when their transfers
// are equal (==); signatures don't count.
type Transfer struct {
	Sender         Address
	Recipient      Recipient
	Amount         uint64
	SequenceNumber uint64
	UserData       UserData
}

// Encoded sizes in bytes. A transfer with user data is UserDataSize longer.
const (
	minTransferSize = 32 + 4 + 32 + 8 + 8 + 1

	// MinSignedSize and MaxSignedSize bound what AppendSignedBytes appends.
	MinSignedSize = len(signedPrefix) + 32 + 1 + 32 + 8 + 8 + 1
	MaxSignedSize = MinSignedSize + UserDataSize
)

// signedPrefix separates signatures on transfers from any other use of the keys.
const signedPrefix = "Transfer::"

// Offsets in the bincode form of a transfer.
const (
	offSender    = 0
	offKind      = 32
	offRecipient = 36
	offAmount    = 68
	offSequence  = 76
	offUserData  = 84
)

// AppendTransfer appends the bincode form of t, 85 bytes, or 117 with user data.
func AppendTransfer(dst []byte, t *Transfer) []byte {
	dst = append(dst, t.Sender[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(t.Recipient.Kind))
	return t.appendAfterKind(dst)
}

// AppendSignedBytes appends what sender and authorities sign: the ASCII bytes "Transfer::" and the BCS form of the
// transfer, 92 bytes, or 124 with user data.
func (t *Transfer) AppendSignedBytes(dst []byte) []byte {
	dst = append(dst, signedPrefix...)
	dst = append(dst, t.Sender[:]...)
	dst = append(dst, byte(t.Recipient.Kind))
	return t.appendAfterKind(dst)
}

// appendAfterKind appends what bincode and BCS write alike.
func (t *Transfer) appendAfterKind(dst []byte) []byte {
	dst = append(dst, t.Recipient.Address[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, t.Amount)
	dst = binary.LittleEndian.AppendUint64(dst, t.SequenceNumber)
	if !t.UserData.Present {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	return append(dst, t.UserData.Bytes[:]...)
}
