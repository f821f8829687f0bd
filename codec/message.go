package codec

import (
	"encoding/binary"
	"strconv"
)

// Kind is a message's tag.
type Kind uint32

// The messages of the protocol.
const (
	KindOrder        Kind = iota // transfer order, to an authority
	KindVote                     // not sent alone: votes travel in an info response
	KindCertificate              // confirmation order, to an authority
	KindCrossShard               // credit, between shards
	KindError                    // answer
	KindInfoRequest              // to an authority
	KindInfoResponse             // answer
	numKinds
)

// String is the message's name as the protocol spells it.
func (k Kind) String() string {
	names := [numKinds]string{"Order", "Vote", "Cert", "CrossShard", "Error", "InfoReq", "InfoResp"}
	if k >= numKinds {
		return "Kind(" + strconv.FormatUint(uint64(k), 10) + ")"
	}
	return names[k]
}

// Lengths of a message's tag, and of the number before a list or a text.
const (
	kindSize   = 4
	lengthSize = 8
)

func appendKind(dst []byte, k Kind) []byte { return binary.LittleEndian.AppendUint32(dst, uint32(k)) }

// Message is a decoded message of any kind: a view, about 400 bytes, meant to be used again and again. The accessor for
// its Kind gives the content; the others give the zero value, or nil, whatever was decoded before. A Message that has
// not been decoded into is a KindOrder without an order. Not for concurrent use while decoding.
type Message struct {
	Kind        Kind
	order       Order
	vote        Vote
	certificate Certificate
	err         errorView
	request     InfoRequest
	response    InfoResponse
}

// Decode checks that b is one message, whole and exact, and makes m a view of it. It reports whether it is; if not, m is
// of no kind. Nothing is allocated, and no work is done that the length of b does not bound.
func (m *Message) Decode(b []byte) bool {
	if !m.decode(b) {
		m.Kind = numKinds
		return false
	}
	return true
}

func (m *Message) decode(b []byte) (ok bool) {
	if len(b) < kindSize {
		return false
	}
	m.Kind = Kind(binary.LittleEndian.Uint32(b))
	b = b[kindSize:]
	switch m.Kind {
	case KindOrder:
		m.order, b, ok = TakeOrder(b)
	case KindVote:
		m.vote, b, ok = takeVote(b)
	case KindCertificate, KindCrossShard:
		m.certificate, b, ok = takeCertificate(b)
	case KindError:
		m.err, b, ok = takeError(b)
	case KindInfoRequest:
		m.request, b, ok = takeInfoRequest(b)
	case KindInfoResponse:
		b, ok = m.response.take(b)
	}
	return ok && len(b) == 0
}

// Order is the content of a KindOrder message.
func (m *Message) Order() Order {
	if m.Kind != KindOrder {
		return Order{}
	}
	return m.order
}

// Vote is the content of a KindVote message.
func (m *Message) Vote() Vote {
	if m.Kind != KindVote {
		return Vote{}
	}
	return m.vote
}

// Certificate is the content of a KindCertificate or KindCrossShard message.
func (m *Message) Certificate() Certificate {
	if m.Kind != KindCertificate && m.Kind != KindCrossShard {
		return Certificate{}
	}
	return m.certificate
}

// Error copies out the content of a KindError message. A pending order in it stays a view.
func (m *Message) Error() *Error {
	if m.Kind != KindError {
		return nil
	}
	return m.err.value()
}

// ErrorCode is the code of a KindError message, without copying the rest.
func (m *Message) ErrorCode() ErrorCode {
	if m.Kind != KindError {
		return numErrorCodes
	}
	return m.err.code
}

// InfoRequest is the content of a KindInfoRequest message, valid until the next Decode.
func (m *Message) InfoRequest() *InfoRequest {
	if m.Kind != KindInfoRequest {
		return nil
	}
	return &m.request
}

// InfoResponse is the content of a KindInfoResponse message, valid until the next Decode.
func (m *Message) InfoResponse() *InfoResponse {
	if m.Kind != KindInfoResponse {
		return nil
	}
	return &m.response
}
