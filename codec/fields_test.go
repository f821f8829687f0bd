package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"fastpay/crypto"
)

// checkFields decodes b, compares what the accessors say with the fields of j, and encodes it again.
func checkFields(t *testing.T, name string, j *jsonMessage, b []byte) {
	t.Helper()
	var m Message
	if !m.Decode(b) {
		t.Errorf("%s: does not decode", name)
		return
	}
	if m.Kind.String() != j.Variant {
		t.Errorf("%s: kind %v, want %s", name, m.Kind, j.Variant)
	}
	if again := reencode(nil, &m); !bytes.Equal(again, b) {
		t.Errorf("%s: encoded again\n got %x\nwant %x", name, again, b)
	}
	field := func(v any) {
		if err := json.Unmarshal(j.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	diff := ""
	switch m.Kind {
	case KindOrder:
		var want jsonOrder
		field(&want)
		diff = diffOrder(t, m.Order(), &want)
	case KindVote:
		var want jsonVote
		field(&want)
		diff = diffVote(t, m.Vote(), &want)
	case KindCertificate, KindCrossShard:
		var want jsonCertificate
		field(&want)
		diff = diffCertificate(t, m.Certificate(), &want)
	case KindError:
		var want jsonError
		field(&want)
		diff = diffError(t, m.Error(), &want)
	case KindInfoRequest:
		var want jsonInfoRequest
		field(&want)
		if *m.InfoRequest() != *want.value() {
			diff = fmt.Sprintf("%+v", *m.InfoRequest())
		}
	case KindInfoResponse:
		var want jsonInfoResponse
		field(&want)
		diff = diffInfoResponse(t, m.InfoResponse(), &want)
	}
	if diff != "" {
		t.Errorf("%s: decoded field differs: %s", name, diff)
	}
}

// Each diff compares a view, through its accessors, with JSON fields, and names the first difference.

func diffOrder(t *testing.T, o Order, want *jsonOrder) string {
	w := want.Transfer.value(t)
	data := o.UserData()
	switch {
	case *o.Sender() != w.Sender:
		return "sender"
	case o.RecipientKind() != w.Recipient.Kind, *o.Recipient() != w.Recipient.Address:
		return "recipient"
	case o.Amount() != w.Amount:
		return "amount"
	case o.SequenceNumber() != w.SequenceNumber:
		return "sequence number"
	case (data != nil) != w.UserData.Present, data != nil && *data != w.UserData.Bytes:
		return "user data"
	case *o.Signature() != crypto.Signature(want.Signature):
		return "signature"
	case o.Transfer() != w:
		return "transfer"
	}
	return ""
}

func diffVote(t *testing.T, v Vote, want *jsonVote) string {
	switch {
	case *v.Authority() != Address(want.Authority):
		return "authority"
	case *v.Signature() != crypto.Signature(want.Signature):
		return "authority's signature"
	}
	return diffOrder(t, v.Order(), &want.Value)
}

func diffCertificate(t *testing.T, c Certificate, want *jsonCertificate) string {
	if c.NumVotes() != len(want.Signatures) {
		return "number of votes"
	}
	for i, w := range want.Signatures {
		authority, signature := c.Vote(i)
		if *authority != Address(w.Authority) || *signature != crypto.Signature(w.Signature) {
			return fmt.Sprint("vote ", i)
		}
	}
	return diffOrder(t, c.Order(), &want.Value)
}

func diffError(t *testing.T, e *Error, want *jsonError) string {
	w := want.value(t)
	switch {
	case e.Code != w.Code, e.Code.String() != want.Variant:
		return "code"
	case e.Text != w.Text:
		return "text"
	case e.Balance != w.Balance:
		return "balance"
	case e.Sequence != w.Sequence:
		return "sequence number"
	case e.Error() != want.Display:
		return "display: " + e.Error()
	case !errors.Is(e, &Error{Code: want.Tag}), errors.Is(e, &Error{Code: want.Tag + 1}):
		return "errors.Is"
	}
	if e.Pending.IsZero() != (want.Pending == nil) {
		return "pending order"
	}
	if want.Pending != nil {
		return diffOrder(t, e.Pending, want.Pending)
	}
	return ""
}

func diffInfoResponse(t *testing.T, r *InfoResponse, want *jsonInfoResponse) string {
	switch {
	case r.Account != Address(want.Sender):
		return "account"
	case r.Balance.String() != want.Balance.String():
		return "balance"
	case r.NextSequenceNumber != uint64(want.Next):
		return "next sequence number"
	case r.Pending.IsZero() != (want.Pending == nil):
		return "pending vote"
	case r.Certificate.IsZero() != (want.Certificate == nil):
		return "certificate"
	case r.Received.Len() != len(want.Received):
		return "number of received certificates"
	}
	if want.Pending != nil {
		if diff := diffVote(t, r.Pending, want.Pending); diff != "" {
			return "pending vote: " + diff
		}
	}
	if want.Certificate != nil {
		if diff := diffCertificate(t, r.Certificate, want.Certificate); diff != "" {
			return "certificate: " + diff
		}
	}
	list := r.Received
	for i := range want.Received {
		var c Certificate
		c, list = list.Next()
		if diff := diffCertificate(t, c, &want.Received[i]); diff != "" {
			return fmt.Sprint("received certificate ", i, ": ", diff)
		}
	}
	return ""
}

// reencode encodes a decoded message from its content.
func reencode(dst []byte, m *Message) []byte {
	switch m.Kind {
	case KindOrder:
		t := m.Order().Transfer()
		return AppendOrder(dst, NewOrder(&t, m.Order().Signature()))
	case KindVote:
		return AppendVote(dst, NewVote(m.Vote().Order(), m.Vote().Authority(), m.Vote().Signature()))
	case KindCertificate:
		return AppendCertificate(dst, rebuild(m.Certificate()))
	case KindCrossShard:
		return AppendCrossShard(dst, rebuild(m.Certificate()))
	case KindError:
		return AppendError(dst, m.Error())
	case KindInfoRequest:
		return AppendInfoRequest(dst, m.InfoRequest())
	case KindInfoResponse:
		r := *m.InfoResponse()
		rest := r.Received
		r.Received = CertificateList{}
		for rest.Len() > 0 {
			var c Certificate
			c, rest = rest.Next()
			r.Received = r.Received.Append(rebuild(c))
		}
		return AppendInfoResponse(dst, &r)
	}
	panic("no message")
}

func rebuild(c Certificate) Certificate {
	votes := make([]VoteEntry, c.NumVotes())
	for i := range votes {
		authority, signature := c.Vote(i)
		votes[i] = VoteEntry{*authority, *signature}
	}
	return NewCertificate(c.Order(), votes)
}
