package codec

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"fastpay/crypto"
)

// vectors is what testdata/vectors.json has for this package. The file was made by the public Rust prototype's own types
// and serializer (bincode 1.3.3, bcs 0.1.6) on fixed keys.
type vectors struct {
	SignedTransfers []struct {
		Name        string
		Transfer    jsonTransfer
		BCS         hexBytes      `json:"bcs_hex"`
		Bincode     hexBytes      `json:"bincode_hex"`
		SignedBytes hexBytes      `json:"signed_bytes_hex"`
		Signature   jsonSignature `json:"sender_signature_hex"`
	} `json:"signed_transfers"`
	Messages []struct {
		jsonMessage
		Name    string
		Bincode hexBytes `json:"bincode_hex"`
	}
	Decoding []struct {
		jsonMessage
		Name      string
		Hex       hexBytes
		OK        bool
		Reencoded hexBytes `json:"reencoded_hex"`
	}
	Arithmetic []struct {
		Type, Op, A, B string
		R              struct {
			OK    *string
			Error string
		}
	}
	AddressDecoding []struct {
		Name, Input string
		Result      struct {
			Kind    string
			Address jsonAddress
		}
	} `json:"address_decoding"`
	Keys []struct {
		Name   string
		Public jsonAddress `json:"public_hex"`
		Base64 string      `json:"public_base64"`
	}
	Configs struct {
		Certificate string `json:"debug_format_of_certificate_printed_by_client_transfer"`
	}
	Framing struct {
		Examples []struct {
			Name    string
			Payload hexBytes `json:"payload_hex"`
			Frame   hexBytes `json:"tcp_frame_hex"`
		}
	}
	Sizes map[string]int
}

func loadVectors(t testing.TB) *vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	v := new(vectors)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The JSON forms of values, and what they are in this package.

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

type jsonAddress Address

func (a *jsonAddress) UnmarshalText(text []byte) error { return unhex(a[:], text) }

type jsonSignature crypto.Signature

func (s *jsonSignature) UnmarshalText(text []byte) error { return unhex(s[:], text) }

func unhex(dst, text []byte) error {
	n, err := hex.Decode(dst, text)
	if err == nil && n != len(dst) {
		err = hex.ErrLength
	}
	return err
}

type jsonTransfer struct {
	Sender    jsonAddress
	Recipient struct {
		Kind    string
		Address jsonAddress
	}
	Amount         jsonUint64
	SequenceNumber jsonUint64 `json:"sequence_number"`
	UserData       *hexBytes  `json:"user_data"`
}

type jsonUint64 uint64

func (n *jsonUint64) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 10, 64)
	*n = jsonUint64(v)
	return err
}

func (j *jsonTransfer) value(t testing.TB) Transfer {
	t.Helper()
	v := Transfer{
		Sender:         Address(j.Sender),
		Recipient:      Recipient{Address: Address(j.Recipient.Address)},
		Amount:         uint64(j.Amount),
		SequenceNumber: uint64(j.SequenceNumber),
	}
	switch j.Recipient.Kind {
	case "Primary":
		v.Recipient.Kind = Primary
	case "FastPay":
		v.Recipient.Kind = FastPay
	default:
		t.Fatalf("recipient kind %q", j.Recipient.Kind)
	}
	if j.UserData != nil {
		v.UserData = UserData{true, [UserDataSize]byte(*j.UserData)}
	}
	return v
}

type jsonOrder struct {
	Transfer  jsonTransfer
	Signature jsonSignature
}

func (j *jsonOrder) value(t testing.TB) Order {
	v := j.Transfer.value(t)
	return NewOrder(&v, (*crypto.Signature)(&j.Signature))
}

type jsonVote struct {
	Value     jsonOrder
	Authority jsonAddress
	Signature jsonSignature
}

func (j *jsonVote) value(t testing.TB) Vote {
	return NewVote(j.Value.value(t), (*Address)(&j.Authority), (*crypto.Signature)(&j.Signature))
}

type jsonCertificate struct {
	Value      jsonOrder
	Signatures []struct {
		Authority jsonAddress
		Signature jsonSignature
	}
}

func (j *jsonCertificate) value(t testing.TB) Certificate {
	var votes []VoteEntry
	for _, s := range j.Signatures {
		votes = append(votes, VoteEntry{Address(s.Authority), crypto.Signature(s.Signature)})
	}
	return NewCertificate(j.Value.value(t), votes)
}

type jsonError struct {
	Variant string
	Tag     ErrorCode
	Error   string
	Balance *json.Number `json:"current_balance"`
	Pending *jsonOrder   `json:"pending_confirmation"`
	Next    jsonUint64   `json:"current_sequence_number"`
	Display string
}

func (j *jsonError) value(t testing.TB) *Error {
	e := &Error{Code: j.Tag, Text: j.Error, Sequence: uint64(j.Next)}
	if j.Balance != nil {
		e.Balance = mustBalance(t, j.Balance.String())
	}
	if j.Pending != nil {
		e.Pending = j.Pending.value(t)
	}
	return e
}

func mustBalance(t testing.TB, s string) Balance {
	t.Helper()
	b, err := ParseBalance(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type jsonInfoRequest struct {
	Sender   jsonAddress
	Sequence *jsonUint64 `json:"request_sequence_number"`
	Received *jsonUint64 `json:"request_received_transfers_excluding_first_nth"`
}

func (j *jsonInfoRequest) value() *InfoRequest {
	q := &InfoRequest{Account: Address(j.Sender)}
	if j.Sequence != nil {
		q.HasSequence, q.Sequence = true, uint64(*j.Sequence)
	}
	if j.Received != nil {
		q.HasReceived, q.ReceivedAfter = true, uint64(*j.Received)
	}
	return q
}

type jsonInfoResponse struct {
	Sender      jsonAddress
	Balance     json.Number
	Next        jsonUint64        `json:"next_sequence_number"`
	Pending     *jsonVote         `json:"pending_confirmation"`
	Certificate *jsonCertificate  `json:"requested_certificate"`
	Received    []jsonCertificate `json:"requested_received_transfers"`
}

func (j *jsonInfoResponse) value(t testing.TB) *InfoResponse {
	r := &InfoResponse{
		Account:            Address(j.Sender),
		Balance:            mustBalance(t, j.Balance.String()),
		NextSequenceNumber: uint64(j.Next),
	}
	if j.Pending != nil {
		r.Pending = j.Pending.value(t)
	}
	if j.Certificate != nil {
		r.Certificate = j.Certificate.value(t)
	}
	for i := range j.Received {
		r.Received = r.Received.Append(j.Received[i].value(t))
	}
	return r
}

// jsonMessage is a message of any kind, field by field.
type jsonMessage struct {
	Variant string
	Value   json.RawMessage
}

// encode builds the message from its fields and encodes it.
func (j *jsonMessage) encode(t testing.TB) []byte {
	t.Helper()
	field := func(v any) {
		if err := json.Unmarshal(j.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	switch j.Variant {
	case "Order":
		var v jsonOrder
		field(&v)
		return AppendOrder(nil, v.value(t))
	case "Vote":
		var v jsonVote
		field(&v)
		return AppendVote(nil, v.value(t))
	case "Cert":
		var v jsonCertificate
		field(&v)
		return AppendCertificate(nil, v.value(t))
	case "CrossShard":
		var v jsonCertificate
		field(&v)
		return AppendCrossShard(nil, v.value(t))
	case "Error":
		var v jsonError
		field(&v)
		return AppendError(nil, v.value(t))
	case "InfoReq":
		var v jsonInfoRequest
		field(&v)
		return AppendInfoRequest(nil, v.value())
	case "InfoResp":
		var v jsonInfoResponse
		field(&v)
		return AppendInfoResponse(nil, v.value(t))
	}
	t.Fatalf("variant %q", j.Variant)
	return nil
}
