package link

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"fastpay/codec"
)

// frames are one of each message, with weird values.
func frames() map[string][]byte {
	h := testHello(math.MaxUint64)
	h.Pair, h.Shards, h.Acknowledged, h.Chain = Pair{0, maxShards}, maxShards, math.MaxUint64-1, math.MaxUint64
	return map[string][]byte{
		"hello":           h.AppendFrame(nil),
		"welcome":         (&Welcome{LogID{1, 15: 2}, math.MaxUint64, 3}).AppendFrame(nil),
		"credit":          (&Credit{math.MaxUint64, testCertificate(1, 10)}).AppendFrame(nil),
		"acknowledgement": (&Acknowledgement{math.MaxUint64, 3}).AppendFrame(nil),
		"refusal":         (&Refusal{OtherLog, math.MaxUint64, 1}).AppendFrame(nil),
	}
}

// again encodes what was decoded.
func (m *Message) again() []byte {
	switch m.Kind {
	case KindHello:
		return m.Hello.AppendFrame(nil)
	case KindWelcome:
		return m.Welcome.AppendFrame(nil)
	case KindCredit:
		return m.Credit.AppendFrame(nil)
	case KindAcknowledgement:
		return m.Acknowledgement.AppendFrame(nil)
	default:
		return m.Refusal.AppendFrame(nil)
	}
}

func TestMessagesComeBack(t *testing.T) {
	for name, frame := range frames() {
		if got := decodeFrame(t, frame).again(); !bytes.Equal(got, frame) {
			t.Errorf("%s: %x, expected %x", name, got, frame)
		}
		if n := len(frame) - codec.FrameHeaderSize; n > MaxMessage(10) {
			t.Errorf("%s: %d bytes, more than MaxMessage", name, n)
		}
		body := frame[codec.FrameHeaderSize:]
		for n := range body {
			if err := new(Message).Decode(body[:n]); !errors.Is(err, ErrMessage) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		if err := new(Message).Decode(append(body[:len(body):len(body)], 0)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s and a byte more: %v", name, err)
		}
	}
}

// TestMessageBytes holds the layout that PROTOCOL.md describes.
func TestMessageBytes(t *testing.T) {
	h := Hello{codec.Address{0xaa, 31: 0xbb}, Pair{1, 2}, 3, LogID{0xcc, 15: 0xdd}, 4, 5, 6}
	zeros := func(n int) string { return strings.Repeat("00", n) }
	for want, frame := range map[string][]byte{
		"55000000" + "01" + "aa" + zeros(30) + "bb" + "010000000200000003000000" + "cc" + zeros(14) + "dd" +
			"0400000000000000" + "0500000000000000" + "0600000000000000": h.AppendFrame(nil),
		"21000000" + "02" + "cc" + zeros(14) + "dd" + "0700000000000000" + "0800000000000000": (&Welcome{h.Log, 7, 8}).AppendFrame(nil),
		"11000000" + "04" + "0900000000000000" + "0a00000000000000":                           (&Acknowledgement{9, 10}).AppendFrame(nil),
		"12000000" + "05" + "04" + "0b00000000000000" + "0c00000000000000":                    (&Refusal{SenderBehind, 11, 12}).AppendFrame(nil),
		"a6000000" + "03" + "0d00000000000000" + hex.EncodeToString(testCertificate(0, 0).Bytes()): (&Credit{13,
			testCertificate(0, 0)}).AppendFrame(nil),
	} {
		if got := hex.EncodeToString(frame); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestDecodeRefusesShards(t *testing.T) {
	h := testHello(1)
	for i := range 3 {
		frame := h.AppendFrame(nil)
		copy(frame[codec.FrameHeaderSize+1+32+4*i:], []byte{1, 0, 1, 0})
		if err := new(Message).Decode(frame[codec.FrameHeaderSize:]); !errors.Is(err, ErrMessage) {
			t.Errorf("shard %d: %v", maxShards+1, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, frame := range frames() {
		f.Add(frame[codec.FrameHeaderSize:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(Message)
		if err := m.Decode(b); err != nil {
			return
		}
		if got := m.again()[codec.FrameHeaderSize:]; !bytes.Equal(got, b) {
			t.Fatalf("decoded %x, encoded %x", b, got)
		}
	})
}

func TestChainTellsHistoriesApart(t *testing.T) {
	a, b := testCertificate(1, 0).Order(), testCertificate(2, 0).Order()
	seen := map[Chain]string{}
	for name, c := range map[string]Chain{
		"none": 0, "a": Chain(0).Next(a), "b": Chain(0).Next(b), "ab": Chain(0).Next(a).Next(b),
		"ba": Chain(0).Next(b).Next(a), "aa": Chain(0).Next(a).Next(a), "aab": Chain(0).Next(a).Next(a).Next(b),
	} {
		if other, ok := seen[c]; ok {
			t.Errorf("%s and %s have one chain", name, other)
		}
		seen[c] = name
	}
	for i := range 1000 { // never to meet again
		if x, y := Chain(uint64(i)).Next(a), Chain(uint64(i)+1).Next(a); x == y {
			t.Fatalf("chains %d and %d meet", i, i+1)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	cert, dst := testCertificate(1, 3), make([]byte, 0, 1024)
	frame := (&Credit{1, cert}).AppendFrame(nil)[codec.FrameHeaderSize:]
	var m Message
	s := openSender(t, math.MaxUint32, 0, 1<<40)
	r := NewReceiver(testReceiver, Acknowledgement{})
	h, chain := testHello(2), Chain(0)
	if _, err := r.Hello(&h); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		number, ok := s.Wants()
		if _, err := s.Offer(dst, cert); err != nil || !ok {
			t.Fatal(err, ok)
		}
		if err := m.Decode(frame); err != nil {
			t.Fatal(err)
		}
		if fresh, err := r.Credit(m.Credit.Number + number - 1); err != nil || !fresh {
			t.Fatal(err)
		}
		chain = chain.Next(cert.Order())
		r.Durable(Acknowledgement{number, chain})
		a, ok := r.Acknowledge()
		if err := s.Acknowledge(&a); err != nil || !ok {
			t.Fatal(err, ok)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCredit(b *testing.B) {
	cert, dst := testCertificate(1, 3), make([]byte, 0, 1024)
	var sum Chain
	b.Run("op=chain", func(b *testing.B) {
		for b.Loop() {
			sum = sum.Next(cert.Order())
		}
	})
	b.Run("op=encode", func(b *testing.B) {
		for b.Loop() {
			(&Credit{1, cert}).AppendFrame(dst)
		}
	})
	b.Run("op=decode", func(b *testing.B) {
		frame := (&Credit{1, cert}).AppendFrame(nil)[codec.FrameHeaderSize:]
		var m Message
		for b.Loop() {
			if m.Decode(frame) != nil {
				b.Fatal("does not decode")
			}
		}
	})
}
