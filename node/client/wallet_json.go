package client

import (
	"encoding/base64"
	"errors"
	"strconv"

	"fastpay/codec"
	"fastpay/crypto"
)

// One line of the wallet file is one account, as the prototype's serde_json writes it:
//
//	{"address":B64,"key":B64,"next_sequence_number":N,"balance":N,"sent_certificates":[C...],"received_certificates":[C...]}
//
// where the key is seed and public key (64 bytes), a balance is a JSON integer of up to 128 bits, and a certificate C is
//
//	{"value":ORDER,"signatures":[[[32 numbers],[64 numbers]],...]}
//
// with ORDER being
//
//	{"transfer":{"sender":[32],"recipient":{"FastPay":[32]},"amount":N,"sequence_number":N,"user_data":null},"signature":[64]}
//
// The optional last field "pending_transfer":ORDER is ours; the prototype's reader passes over it. Reading takes fields
// in any order and any white space within the line, but no unknown, missing or repeated field: a rewrite would lose it.

// appendAccount appends the line of a, with its line end.
func appendAccount(dst []byte, a *Account) []byte {
	var key [crypto.SeedSize + crypto.PublicKeySize]byte
	copy(key[:], a.seed[:])
	copy(key[crypto.SeedSize:], a.Address[:])
	dst = append(dst, `{"address":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, a.Address[:])
	dst = append(dst, `","key":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, key[:])
	dst = append(dst, `","next_sequence_number":`...)
	dst = strconv.AppendUint(dst, a.NextSequenceNumber, 10)
	dst = append(dst, `,"balance":`...)
	dst = appendBalance(dst, a.Balance)
	dst = append(dst, `,"sent_certificates":`...)
	dst = appendCertificates(dst, a.Sent)
	dst = append(dst, `,"received_certificates":`...)
	dst = appendCertificates(dst, a.Received)
	if !a.Pending.IsZero() {
		dst = append(dst, `,"pending_transfer":`...)
		dst = appendOrder(dst, a.Pending)
	}
	return append(dst, "}\n"...)
}

// appendBalance avoids big integers for the balances that occur.
func appendBalance(dst []byte, b codec.Balance) []byte {
	if amount, ok := b.Amount(); ok {
		return strconv.AppendUint(dst, amount, 10)
	}
	return append(dst, b.String()...)
}

func appendCertificates(dst []byte, list []codec.Certificate) []byte {
	dst = append(dst, '[')
	for i, c := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"value":`...)
		dst = appendOrder(dst, c.Order())
		dst = append(dst, `,"signatures":[`...)
		for v := range c.NumVotes() {
			if v > 0 {
				dst = append(dst, ',')
			}
			name, signature := c.Vote(v)
			dst = append(dst, '[')
			dst = appendNumbers(dst, name[:])
			dst = append(dst, ',')
			dst = appendNumbers(dst, signature[:])
			dst = append(dst, ']')
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

func appendOrder(dst []byte, o codec.Order) []byte {
	dst = append(dst, `{"transfer":{"sender":`...)
	dst = appendNumbers(dst, o.Sender()[:])
	if o.RecipientKind() == codec.Primary {
		dst = append(dst, `,"recipient":{"Primary":`...)
	} else {
		dst = append(dst, `,"recipient":{"FastPay":`...)
	}
	dst = appendNumbers(dst, o.Recipient()[:])
	dst = append(dst, `},"amount":`...)
	dst = strconv.AppendUint(dst, o.Amount(), 10)
	dst = append(dst, `,"sequence_number":`...)
	dst = strconv.AppendUint(dst, o.SequenceNumber(), 10)
	dst = append(dst, `,"user_data":`...)
	if data := o.UserData(); data != nil {
		dst = appendNumbers(dst, data[:])
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `},"signature":`...)
	dst = appendNumbers(dst, o.Signature()[:])
	return append(dst, '}')
}

// appendNumbers appends bytes the way serde_json writes a byte array: as an array of numbers.
func appendNumbers(dst []byte, b []byte) []byte {
	dst = append(dst, '[')
	for i, v := range b {
		text := numberTexts[v]
		if i == 0 {
			text = text[1:]
		}
		dst = append(dst, text...)
	}
	return append(dst, ']')
}

// numberTexts has ",0" to ",255": a wallet is mostly such numbers, and is written three times for each transfer.
var numberTexts = func() (texts [256]string) {
	for i := range texts {
		texts[i] = "," + strconv.Itoa(i)
	}
	return texts
}()

// parseAccount reads one line, without its line end, into memory of its own. Whether the account makes sense is for check.
func parseAccount(line []byte) (*Account, error) {
	p := lineParser{text: line}
	a := new(Account)
	var key [crypto.SeedSize + crypto.PublicKeySize]byte
	optional := accountFields[len(accountFields)-1:]
	p.object(accountFields, optional, func(field string) {
		switch field {
		case "address":
			p.base64(a.Address[:])
		case "key":
			p.base64(key[:])
		case "next_sequence_number":
			a.NextSequenceNumber = p.uint64()
		case "balance":
			a.Balance = p.balance()
		case "sent_certificates":
			a.Sent = p.certificates()
		case "received_certificates":
			a.Received = p.certificates()
		case "pending_transfer":
			a.Pending = p.order()
		}
	})
	p.end()
	if p.err != nil {
		return nil, p.err
	}
	copy(a.seed[:], key[:])
	if codec.Address(key[crypto.SeedSize:]) != a.Address {
		return nil, errKeyMismatch
	}
	return a, nil
}

var (
	accountFields = []string{"address", "key", "next_sequence_number", "balance", "sent_certificates",
		"received_certificates", "pending_transfer"}
	certificateFields = []string{"value", "signatures"}
	orderFields       = []string{"transfer", "signature"}
	transferFields    = []string{"sender", "recipient", "amount", "sequence_number", "user_data"}

	errKeyMismatch = errors.New("the key does not belong to the address")
)
