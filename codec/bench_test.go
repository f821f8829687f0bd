package codec

import (
	"testing"

	"fastpay/crypto"
)

func BenchmarkDecode(b *testing.B) {
	for _, s := range sample() {
		b.Run("kind="+s.name, func(b *testing.B) {
			var m Message
			b.ReportAllocs()
			b.SetBytes(int64(len(s.b)))
			for b.Loop() {
				if !m.Decode(s.b) {
					b.Fatal("does not decode")
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	order := NewOrder(&Transfer{}, &crypto.Signature{})
	certificate := NewCertificate(order, make([]VoteEntry, 3))
	response := &InfoResponse{Pending: NewVote(order, &Address{}, &crypto.Signature{})}
	dst := make([]byte, 0, 4096)
	for _, c := range []struct {
		name string
		f    func() []byte
	}{
		{"order", func() []byte { return AppendOrder(dst, order) }},
		{"signed-bytes", func() []byte { return order.AppendSignedBytes(dst) }},
		{"certificate-3", func() []byte { return AppendCertificate(dst, certificate) }},
		{"info-response-vote", func() []byte { return AppendInfoResponse(dst, response) }},
	} {
		b.Run("kind="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.f())))
			for b.Loop() {
				c.f()
			}
		})
	}
}

// BenchmarkTakeFrame splits 64 KiB of frames of the size of an order; the figures are for one frame.
func BenchmarkTakeFrame(b *testing.B) {
	order := NewOrder(&Transfer{}, &crypto.Signature{})
	var stream []byte
	for len(stream) < 64<<10 {
		start := len(stream)
		stream = AppendOrder(BeginFrame(stream), order)
		EndFrame(stream, start)
	}
	b.ReportAllocs()
	b.SetBytes(int64(FrameHeaderSize + kindSize + minOrderSize))
	rest := stream
	for b.Loop() {
		var ok bool
		if _, rest, ok, _ = TakeFrame(rest, DefaultMaxMessage); !ok {
			b.Fatal("no frame")
		}
		if len(rest) == 0 {
			rest = stream
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.Run("text=address", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseAddress("bGXIG5D7Q4V7CvtRTU1//i3hwi+QmRe82fzsvzTMUjk="); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("text=balance", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseBalance("1000000"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
