package codec

import (
	"testing"

	"fastpay/crypto"
)

func zeroAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var m Message
	for _, s := range sample() {
		zeroAllocs(t, s.name, func() {
			if !m.Decode(s.b) {
				t.Fatal("does not decode")
			}
		})
		zeroAllocs(t, s.name+", cut", func() {
			if m.Decode(s.b[:len(s.b)-1]) {
				t.Fatal("decodes")
			}
		})
		zeroAllocs(t, s.name+", message on the stack", func() {
			var local Message
			if !local.Decode(s.b) {
				t.Fatal("does not decode")
			}
		})
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	signature, address := &crypto.Signature{1}, &Address{2}
	transfer := &Transfer{Amount: 3, UserData: UserData{Present: true}}
	order := NewOrder(transfer, signature)
	vote := NewVote(order, address, signature)
	certificate := NewCertificate(order, make([]VoteEntry, 14))
	response := &InfoResponse{Pending: vote, Certificate: certificate}
	response.Received = response.Received.Append(certificate)
	request := &InfoRequest{HasSequence: true}
	dst := make([]byte, 0, 16<<10)
	for name, f := range map[string]func(){
		"transfer":             func() { AppendTransfer(dst, transfer) },
		"signed bytes":         func() { transfer.AppendSignedBytes(dst) },
		"signed bytes, view":   func() { order.AppendSignedBytes(dst) },
		"order":                func() { AppendOrder(dst, order) },
		"vote":                 func() { AppendVote(dst, vote) },
		"certificate":          func() { AppendCertificate(dst, certificate) },
		"cross shard":          func() { AppendCrossShard(dst, certificate) },
		"info request":         func() { AppendInfoRequest(dst, request) },
		"info response":        func() { AppendInfoResponse(dst, response) },
		"info response header": func() { AppendInfoHeader(dst, address, MaxBalance, 1) },
		"address":              func() { AppendAddress(dst, address) },
		"debug":                func() { certificate.AppendDebug(dst) },
		"frame": func() {
			frame := AppendOrder(BeginFrame(dst), order)
			EndFrame(frame, len(dst))
		},
		"error, text":    func() { AppendError(dst, &Error{Code: InvalidSignature, Text: "text"}) },
		"error, balance": func() { AppendError(dst, &Error{Code: InsufficientFunding, Balance: MinBalance}) },
		"error, number":  func() { AppendError(dst, &Error{Code: MissingEalierConfirmations, Sequence: 1}) },
		"error, pending": func() { AppendError(dst, &Error{Code: PreviousTransferMustBeConfirmedFirst, Pending: order}) },
	} {
		zeroAllocs(t, name, f)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	frames := make([]byte, 0, 1024)
	for _, message := range []string{"one", "", "three"} {
		start := len(frames)
		frames = append(BeginFrame(frames), message...)
		EndFrame(frames, start)
	}
	zeroAllocs(t, "TakeFrame", func() {
		count := 0
		for rest := frames; ; count++ {
			var ok bool
			if _, rest, ok, _ = TakeFrame(rest, DefaultMaxMessage); !ok {
				break
			}
		}
		if count != 3 {
			t.Fatal(count)
		}
	})
	zeroAllocs(t, "TakeFrame, too large", func() { _, _, _, _ = TakeFrame(frames, 2) })
	zeroAllocs(t, "ParseBalance", func() { _, _ = ParseBalance("-170141183460469231731687303715884105728") })
	zeroAllocs(t, "ParseAddress", func() { _, _ = ParseAddress("bGXIG5D7Q4V7CvtRTU1//i3hwi+QmRe82fzsvzTMUjk=") })

	list := CertificateList{}.Append(NewCertificate(NewOrder(&Transfer{}, &crypto.Signature{}), make([]VoteEntry, 3)))
	sum := byte(0)
	zeroAllocs(t, "fields of a certificate", func() {
		c, _ := list.Next()
		for i := range c.NumVotes() {
			authority, signature := c.Vote(i)
			sum += authority[0] + signature[0]
		}
		v := c.Order().Transfer()
		sum += v.Sender[0] + c.Order().Recipient()[0]
	})
}
