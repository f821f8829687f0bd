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

// minInfoRequestSize is an account and two absent options.
const minInfoRequestSize = 32 + 1 + 1

// takeInfoRequest reads an info request at the start of b and returns what follows it.
func takeInfoRequest(b []byte) (q InfoRequest, rest []byte, ok bool) {
	if len(b) < minInfoRequestSize {
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

// CertificateList is several certificates, a view when decoded. The zero value is the empty list.
type CertificateList struct {
	count uint64
	raw   []byte // encoded one after the other, without the count
}

// Len is the number of certificates.
func (l CertificateList) Len() int { return int(l.count) }

// Next splits off the first certificate. It panics if the list is empty.
func (l CertificateList) Next() (Certificate, CertificateList) {
	c, rest, ok := takeCertificate(l.raw)
	if !ok {
		panic("codec: CertificateList.Next: the list is empty")
	}
	return c, CertificateList{l.count - 1, rest}
}

// Append returns the list with c after its last certificate. As with append, the old list's memory may be used again; a
// list that is a view is copied first.
func (l CertificateList) Append(c Certificate) CertificateList {
	return CertificateList{l.count + 1, append(l.raw, c.raw...)}
}

// minInfoResponseSize is what comes before the first option, and the shortest rest.
const minInfoResponseSize = infoHeaderSize + 1 + 1 + lengthSize

// infoHeaderSize is an account, its balance and its next sequence number.
const infoHeaderSize = 32 + balanceSize + 8

// take reads an info response at the start of b and returns what follows it. It fills in place what has over 200 bytes.
func (r *InfoResponse) take(b []byte) (rest []byte, ok bool) {
	if len(b) < minInfoResponseSize {
		return nil, false
	}
	*r = InfoResponse{
		Account:            Address(b),
		Balance:            BalanceFromBytes(b[32:]),
		NextSequenceNumber: binary.LittleEndian.Uint64(b[32+balanceSize:]),
	}
	present, b, ok := takeOption(b[infoHeaderSize:])
	if present {
		r.Pending, b, ok = takeVote(b)
	}
	if !ok {
		return nil, false
	}
	present, b, ok = takeOption(b)
	if present {
		r.Certificate, b, ok = takeCertificate(b)
	}
	if !ok {
		return nil, false
	}
	r.Received, b, ok = takeCertificateList(b)
	return b, ok
}

// takeOption reads the byte before an optional value.
func takeOption(b []byte) (present bool, rest []byte, ok bool) {
	if len(b) == 0 || b[0] > 1 {
		return false, nil, false
	}
	return b[0] == 1, b[1:], true
}

func takeCertificateList(b []byte) (l CertificateList, rest []byte, ok bool) {
	if len(b) < lengthSize {
		return CertificateList{}, nil, false
	}
	count := binary.LittleEndian.Uint64(b)
	b = b[lengthSize:]
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

// AppendInfoHeader appends an InfoResponse message up to where its first option begins: the pending vote (0, or 1 and
// Vote.Bytes), then the certificate that was asked for (0, or 1 and Certificate.Bytes), then the number of received
// certificates as u64 and each one's bytes.
func AppendInfoHeader(dst []byte, account *Address, balance Balance, next uint64) []byte {
	dst = appendKind(dst, KindInfoResponse)
	dst = append(dst, account[:]...)
	dst = balance.AppendBytes(dst)
	return binary.LittleEndian.AppendUint64(dst, next)
}
