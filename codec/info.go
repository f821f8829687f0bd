package codec

import "encoding/binary"

// InfoRequest asks an authority for an account's state. It is a value, not a view.
type InfoRequest struct {
	Account Address
	// HasSequence asks for the confirmed certificate with number Sequence.
	HasSequence bool
	Sequence    uint64
	// HasReceived asks for the received certificates after the first ReceivedAfter.
	HasReceived   bool
	ReceivedAfter uint64
}

func takeInfoRequest(b []byte) (q InfoRequest, rest []byte, ok bool) {
	if len(b) < 34 {
		return InfoRequest{}, nil, false
	}
	copy(q.Account[:], b)
	if q.HasSequence, q.Sequence, b, ok = takeOptionalUint64(b[32:]); !ok {
		return InfoRequest{}, nil, false
	}
	if q.HasReceived, q.ReceivedAfter, b, ok = takeOptionalUint64(b); !ok {
		return InfoRequest{}, nil, false
	}
	return q, b, true
}

func takeOptionalUint64(b []byte) (has bool, v uint64, rest []byte, ok bool) {
	switch {
	case len(b) >= 1 && b[0] == 0:
		return false, 0, b[1:], true
	case len(b) >= 9 && b[0] == 1:
		return true, binary.LittleEndian.Uint64(b[1:]), b[9:], true
	}
	return false, 0, nil, false
}

func appendOptionalUint64(dst []byte, has bool, v uint64) []byte {
	if !has {
		return append(dst, 0)
	}
	return binary.LittleEndian.AppendUint64(append(dst, 1), v)
}

// AppendInfoRequest appends q as a message.
func AppendInfoRequest(dst []byte, q *InfoRequest) []byte {
	dst = appendKind(dst, KindInfoRequest)
	dst = append(dst, q.Account[:]...)
	dst = appendOptionalUint64(dst, q.HasSequence, q.Sequence)
	return appendOptionalUint64(dst, q.HasReceived, q.ReceivedAfter)
}

// InfoResponse is an account's state at one authority: the answer to an info request, and to a transfer order and a
// confirmation order that were accepted. Decoded, its votes and certificates are views.
type InfoResponse struct {
	Account            Address
	Balance            Balance
	NextSequenceNumber uint64
	Pending            Vote            // zero when there is none
	Certificate        Certificate     // the one that was asked for, or zero
	Received           CertificateList // those that were asked for
}

// CertificateList is a view of several certificates. The zero value is the empty list.
type CertificateList struct {
	count uint64
	raw   []byte
}

// Len is the number of certificates.
func (l CertificateList) Len() int { return int(l.count) }

// Next splits off the first certificate; the list must not be empty.
func (l CertificateList) Next() (Certificate, CertificateList) {
	c, rest, _ := takeCertificate(l.raw)
	return c, CertificateList{l.count - 1, rest}
}

// Append adds c; the list must own its memory, as one that was built by Append alone does.
func (l CertificateList) Append(c Certificate) CertificateList {
	return CertificateList{l.count + 1, append(l.raw, c.raw...)}
}

// minCertificateSize is a certificate without votes.
const minCertificateSize = minOrderSize + 8

func takeInfoResponse(b []byte) (r InfoResponse, rest []byte, ok bool) {
	fail := func() (InfoResponse, []byte, bool) { return InfoResponse{}, nil, false }
	if len(b) < 32+16+8+1 {
		return fail()
	}
	copy(r.Account[:], b)
	r.Balance = balanceFromBytes(b[32:])
	r.NextSequenceNumber = binary.LittleEndian.Uint64(b[48:])
	pending, b, ok := takeOption(b[56:])
	if !ok {
		return fail()
	}
	if pending {
		if r.Pending, b, ok = takeVote(b); !ok {
			return fail()
		}
	}
	requested, b, ok := takeOption(b)
	if !ok {
		return fail()
	}
	if requested {
		if r.Certificate, b, ok = takeCertificate(b); !ok {
			return fail()
		}
	}
	if r.Received, b, ok = takeCertificateList(b); !ok {
		return fail()
	}
	return r, b, true
}

func takeOption(b []byte) (present bool, rest []byte, ok bool) {
	if len(b) == 0 || b[0] > 1 {
		return false, nil, false
	}
	return b[0] == 1, b[1:], true
}

func takeCertificateList(b []byte) (l CertificateList, rest []byte, ok bool) {
	if len(b) < 8 {
		return CertificateList{}, nil, false
	}
	count := binary.LittleEndian.Uint64(b)
	b = b[8:]
	if count > uint64(len(b)/minCertificateSize) {
		return CertificateList{}, nil, false
	}
	rest = b
	for range count {
		if _, rest, ok = takeCertificate(rest); !ok {
			return CertificateList{}, nil, false
		}
	}
	return CertificateList{count, b[: len(b)-len(rest) : len(b)-len(rest)]}, rest, true
}

// AppendInfoResponse appends r as a message.
func AppendInfoResponse(dst []byte, r *InfoResponse) []byte {
	dst = AppendInfoHeader(dst, &r.Account, r.Balance, r.NextSequenceNumber)
	if r.Pending.IsZero() {
		dst = append(dst, 0)
	} else {
		dst = append(append(dst, 1), r.Pending.raw...)
	}
	if r.Certificate.IsZero() {
		dst = append(dst, 0)
	} else {
		dst = append(append(dst, 1), r.Certificate.raw...)
	}
	dst = binary.LittleEndian.AppendUint64(dst, r.Received.count)
	return append(dst, r.Received.raw...)
}

// AppendInfoHeader appends an InfoResponse up to where its first option begins.
func AppendInfoHeader(dst []byte, account *Address, balance Balance, next uint64) []byte {
	dst = appendKind(dst, KindInfoResponse)
	dst = append(dst, account[:]...)
	dst = balance.append(dst)
	return binary.LittleEndian.AppendUint64(dst, next)
}
