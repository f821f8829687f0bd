package codec

import "encoding/binary"

// Kind is a message's tag.
type Kind uint32

// The messages of the protocol.
const (
	KindOrder        Kind = iota // transfer order, to an authority
	KindVote                     // not sent alone: votes travel in an InfoResponse
	KindCertificate              // confirmation order, to an authority
	KindCrossShard               // credit, between shards
	KindError                    // answer
	KindInfoRequest              // to an authority
	KindInfoResponse             // answer
	numKinds
)

const kindSize = 4

func appendKind(dst []byte, k Kind) []byte { return binary.LittleEndian.AppendUint32(dst, uint32(k)) }

// Message is a decoded message of any kind; the accessor of its Kind gives the content. A view.
type Message struct {
	Kind        Kind
	order       Order
	vote        Vote
	certificate Certificate
	err         errorView
	request     InfoRequest
	response    InfoResponse
}

// Decode checks that b is one message, whole and exact, and makes m a view of it. It reports whether it is; m is
// unspecified if not. Nothing is allocated.
func (m *Message) Decode(b []byte) bool {
	if len(b) < kindSize {
		return false
	}
	m.Kind = Kind(binary.LittleEndian.Uint32(b))
	b = b[kindSize:]
	var ok bool
	switch m.Kind {
	case KindOrder:
		m.order, b, ok = takeOrder(b)
	case KindVote:
		m.vote, b, ok = takeVote(b)
	case KindCertificate, KindCrossShard:
		m.certificate, b, ok = takeCertificate(b)
	case KindError:
		m.err, b, ok = takeError(b)
	case KindInfoRequest:
		m.request, b, ok = takeInfoRequest(b)
	case KindInfoResponse:
		m.response, b, ok = takeInfoResponse(b)
	}
	return ok && len(b) == 0
}

// Order is the content of a KindOrder message.
func (m *Message) Order() Order { return m.order }

// Vote is the content of a KindVote message.
func (m *Message) Vote() Vote { return m.vote }

// Certificate is the content of a KindCertificate or KindCrossShard message.
func (m *Message) Certificate() Certificate { return m.certificate }

// Error copies out the content of a KindError message. A pending order in it stays a view.
func (m *Message) Error() *Error { return m.err.value() }

// ErrorCode is the code of a KindError message.
func (m *Message) ErrorCode() ErrorCode { return m.err.code }

// InfoRequest is the content of a KindInfoRequest message, valid until the next Decode.
func (m *Message) InfoRequest() *InfoRequest { return &m.request }

// InfoResponse is the content of a KindInfoResponse message, valid until the next Decode.
func (m *Message) InfoResponse() *InfoResponse { return &m.response }
