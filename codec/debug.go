package codec

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// The prototype prints certificates, and orders in one error text, with Rust's derived Debug format. Scripts parse that
// line, so it is reproduced to the character.

// AppendDebug appends o as the prototype prints it: "TransferOrder { transfer: ..., signature: BASE64 }", or None.
func (o Order) AppendDebug(dst []byte) []byte {
	if o.IsZero() {
		return append(dst, "None"...)
	}
	dst = append(dst, "TransferOrder { transfer: Transfer { sender: "...)
	dst = AppendAddress(dst, o.Sender())
	dst = append(dst, ", recipient: "...)
	dst = append(dst, o.RecipientKind().String()...)
	dst = append(dst, '(')
	dst = AppendAddress(dst, o.Recipient())
	dst = append(dst, "), amount: Amount("...)
	dst = strconv.AppendUint(dst, o.Amount(), 10)
	dst = append(dst, "), sequence_number: SequenceNumber("...)
	dst = strconv.AppendUint(dst, o.SequenceNumber(), 10)
	dst = append(dst, "), user_data: UserData("...)
	dst = appendUserDataDebug(dst, o.UserData())
	dst = append(dst, ") }, signature: "...)
	dst = base64.StdEncoding.AppendEncode(dst, o.Signature()[:])
	return append(dst, " }"...)
}

func appendUserDataDebug(dst []byte, data *[UserDataSize]byte) []byte {
	if data == nil {
		return append(dst, "None"...)
	}
	dst = append(dst, "Some(["...)
	for i, b := range data {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendUint(dst, uint64(b), 10)
	}
	return append(dst, "])"...)
}

// AppendDebug appends c as the prototype's client prints it after a transfer: "CertifiedTransferOrder { value:
// TransferOrder { ... }, signatures: [(AUTHORITY, SIGNATURE), ...] }", on one line without its end.
func (c Certificate) AppendDebug(dst []byte) []byte {
	dst = append(dst, "CertifiedTransferOrder { value: "...)
	dst = c.order.AppendDebug(dst)
	dst = append(dst, ", signatures: ["...)
	for i := range c.NumVotes() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		authority, signature := c.Vote(i)
		dst = append(dst, '(')
		dst = AppendAddress(dst, authority)
		dst = append(dst, ", "...)
		dst = base64.StdEncoding.AppendEncode(dst, signature[:])
		dst = append(dst, ')')
	}
	return append(dst, "] }"...)
}

// appendQuoted appends s between quotes as Rust prints a string for debugging: its control and other unprintable
// characters are \u{HEX}, where Go's %q has \x and \u forms.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == 0:
			dst = append(dst, `\0`...)
		case strconv.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(strconv.AppendUint(append(dst, `\u{`...), uint64(r), 16), '}')
		}
	}
	return append(dst, '"')
}
