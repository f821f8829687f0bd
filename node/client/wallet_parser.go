package client

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"fastpay/codec"
	"fastpay/crypto"
)

// lineParser reads the JSON of one line, strictly. The first error sticks and stops everything; the methods then return
// zero values.
type lineParser struct {
	text []byte
	at   int
	err  error
}

func (p *lineParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("column %d: %s", p.at+1, fmt.Sprintf(format, args...))
		p.at = len(p.text)
	}
}

func (p *lineParser) peek() byte {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\r':
			p.at++
		default:
			return c
		}
	}
	return 0
}

// skip takes c if it is next.
func (p *lineParser) skip(c byte) bool {
	if p.peek() == c && p.at < len(p.text) {
		p.at++
		return true
	}
	return false
}

func (p *lineParser) expect(c byte) {
	if !p.skip(c) {
		p.fail("expected %q", c)
	}
}

func (p *lineParser) end() {
	p.peek()
	if p.at < len(p.text) {
		p.fail("expected the end of the line after the account")
	}
}

// object reads an object that has each of fields once; optional ones may be missing. value reads a field's value.
func (p *lineParser) object(fields, optional []string, value func(field string)) {
	var seen uint
	p.expect('{')
	for more := !p.skip('}'); more && p.err == nil; {
		name := p.string()
		i := indexOf(fields, name)
		switch {
		case p.err != nil:
			return
		case i < 0:
			p.fail("unknown field %q", name)
			return
		case seen&(1<<i) != 0:
			p.fail("field %q twice", name)
			return
		}
		seen |= 1 << i
		p.expect(':')
		value(fields[i])
		if more = p.skip(','); !more {
			p.expect('}')
		}
	}
	for i, f := range fields {
		if seen&(1<<i) == 0 && indexOf(optional, []byte(f)) < 0 {
			p.fail("field %q is missing", f)
		}
	}
}

func indexOf(fields []string, name []byte) int {
	for i, f := range fields {
		if f == string(name) {
			return i
		}
	}
	return -1
}

// string reads a string. Nothing in the file needs escapes, so there are none.
func (p *lineParser) string() []byte {
	p.expect('"')
	for i := p.at; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			s := p.text[p.at:i]
			p.at = i + 1
			return s
		case c == '\\' || c < ' ' || c > '~':
			p.at = i
			p.fail("unexpected character in a string")
			return nil
		}
	}
	p.fail("string without end")
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

func (p *lineParser) base64(dst []byte) {
	s := p.string()
	if p.err != nil {
		return
	}
	var buf [96]byte
	if len(s) != base64.StdEncoding.EncodedLen(len(dst)) {
		p.fail("expected base64 of %d bytes", len(dst))
		return
	}
	n, err := strictBase64.Decode(buf[:], s)
	if err != nil || n != len(dst) {
		p.fail("expected base64 of %d bytes", len(dst))
		return
	}
	copy(dst, buf[:n])
}

// integer reads a JSON integer.
func (p *lineParser) integer() string {
	p.peek()
	i := p.at
	if i < len(p.text) && p.text[i] == '-' {
		i++
	}
	digits := i
	for i < len(p.text) && p.text[i] >= '0' && p.text[i] <= '9' {
		i++
	}
	if i == digits || p.text[digits] == '0' && i > digits+1 {
		p.fail("expected an integer")
		return ""
	}
	s := string(p.text[p.at:i])
	p.at = i
	return s
}

func (p *lineParser) uint64() uint64 {
	start := p.at
	s := p.integer()
	if p.err != nil {
		return 0
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		p.at = start
		p.fail("expected an integer from 0 to 2^64-1")
	}
	return v
}

func (p *lineParser) balance() codec.Balance {
	start := p.at
	s := p.integer()
	if p.err != nil {
		return codec.Balance{}
	}
	b, err := codec.ParseBalance(s)
	if err != nil {
		p.at = start
		p.fail("expected an integer of 128 bits")
	}
	return b
}

// numbers reads an array of exactly len(dst) numbers from 0 to 255.
func (p *lineParser) numbers(dst []byte) {
	p.expect('[')
	for i := range dst {
		if i > 0 {
			p.expect(',')
		}
		p.peek()
		v, digits := 0, 0
		for ; p.at < len(p.text) && digits < 4 && p.text[p.at] >= '0' && p.text[p.at] <= '9'; digits++ {
			v = v*10 + int(p.text[p.at]-'0')
			p.at++
		}
		if digits == 0 || v > 255 || digits > 1 && v < 10 || digits > 2 && v < 100 || digits > 3 {
			p.fail("expected %d numbers from 0 to 255", len(dst))
			return
		}
		dst[i] = byte(v)
	}
	p.expect(']')
}

func (p *lineParser) null() bool {
	p.peek()
	if rest := p.text[p.at:]; len(rest) >= 4 && string(rest[:4]) == "null" {
		p.at += 4
		return true
	}
	return false
}

func (p *lineParser) certificates() []codec.Certificate {
	var list []codec.Certificate
	p.expect('[')
	for more := !p.skip(']'); more && p.err == nil; {
		list = append(list, p.certificate())
		if more = p.skip(','); !more {
			p.expect(']')
		}
	}
	return list
}

func (p *lineParser) certificate() codec.Certificate {
	var order codec.Order
	var votes []codec.VoteEntry
	start := p.at
	p.object(certificateFields, nil, func(field string) {
		if field == "value" {
			order = p.order()
			return
		}
		p.expect('[')
		for more := !p.skip(']'); more && p.err == nil; {
			var v codec.VoteEntry
			p.expect('[')
			p.numbers(v.Authority[:])
			p.expect(',')
			p.numbers(v.Signature[:])
			p.expect(']')
			votes = append(votes, v)
			if more = p.skip(','); !more {
				p.expect(']')
			}
		}
	})
	if p.err != nil {
		return codec.Certificate{}
	}
	c := codec.NewCertificate(order, votes)
	if _, err := codec.ParseCertificate(c.Bytes()); err != nil {
		p.at = start
		p.fail("a signature in the certificate is impossible")
	}
	return c
}

func (p *lineParser) order() codec.Order {
	var t codec.Transfer
	var signature crypto.Signature
	start := p.at
	p.object(orderFields, nil, func(field string) {
		if field == "transfer" {
			t = p.transfer()
		} else {
			p.numbers(signature[:])
		}
	})
	if p.err != nil {
		return codec.Order{}
	}
	o := codec.NewOrder(&t, &signature)
	if !decodes(codec.AppendOrder(nil, o)) {
		p.at = start
		p.fail("the signature of the order is impossible")
	}
	return o
}

// decodes reports whether the codec takes what was built from the file: it refuses some signatures by their shape.
func decodes(message []byte) bool {
	var m codec.Message
	return m.Decode(message)
}

func (p *lineParser) transfer() (t codec.Transfer) {
	p.object(transferFields, nil, func(field string) {
		switch field {
		case "sender":
			p.numbers(t.Sender[:])
		case "recipient":
			t.Recipient = p.recipient()
		case "amount":
			t.Amount = p.uint64()
		case "sequence_number":
			t.SequenceNumber = p.uint64()
		case "user_data":
			if t.UserData.Present = !p.null(); t.UserData.Present {
				p.numbers(t.UserData.Bytes[:])
			}
		}
	})
	return t
}

func (p *lineParser) recipient() (r codec.Recipient) {
	p.expect('{')
	switch name := p.string(); string(name) {
	case "Primary":
		r.Kind = codec.Primary
	case "FastPay":
		r.Kind = codec.FastPay
	default:
		p.fail(`expected "FastPay" or "Primary"`)
	}
	p.expect(':')
	p.numbers(r.Address[:])
	p.expect('}')
	return r
}
