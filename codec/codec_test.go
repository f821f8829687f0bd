package codec

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fastpay/crypto"
)

// sample has a message of each kind, and of several sizes, for the tests of allocation, the benchmarks and the fuzz seeds.
func sample() []struct {
	name string
	kind Kind
	b    []byte
} {
	signature := &crypto.Signature{1, 2, 3}
	plain := NewOrder(&Transfer{Sender: Address{1}, Recipient: Recipient{FastPay, Address{2}}, Amount: 3}, signature)
	attached := NewOrder(&Transfer{Sender: Address{1}, Amount: 3, UserData: UserData{Present: true}}, signature)
	vote := NewVote(plain, &Address{4}, signature)
	three := NewCertificate(plain, make([]VoteEntry, 3))
	full := InfoResponse{Balance: NewBalance(5), NextSequenceNumber: 6, Pending: vote, Certificate: three}
	full.Received = full.Received.Append(three).Append(NewCertificate(attached, make([]VoteEntry, 1)))
	return []struct {
		name string
		kind Kind
		b    []byte
	}{
		{"order", KindOrder, AppendOrder(nil, plain)},
		{"order-user-data", KindOrder, AppendOrder(nil, attached)},
		{"vote", KindVote, AppendVote(nil, vote)},
		{"certificate-3", KindCertificate, AppendCertificate(nil, three)},
		{"certificate-14", KindCertificate, AppendCertificate(nil, NewCertificate(plain, make([]VoteEntry, 14)))},
		{"cross-shard-3", KindCrossShard, AppendCrossShard(nil, three)},
		{"error", KindError, AppendError(nil, &Error{Code: WrongShard})},
		{"error-text", KindError, AppendError(nil, &Error{Code: InvalidSignature, Text: "of the sender"})},
		{"error-pending", KindError, AppendError(nil, &Error{Code: PreviousTransferMustBeConfirmedFirst, Pending: plain})},
		{"info-request", KindInfoRequest, AppendInfoRequest(nil, &InfoRequest{HasSequence: true, HasReceived: true})},
		{"info-response-vote", KindInfoResponse, AppendInfoResponse(nil, &InfoResponse{Pending: vote})},
		{"info-response-full", KindInfoResponse, AppendInfoResponse(nil, &full)},
	}
}

// TestDecodeEveryPrefix: no message is whole without its last byte, or with one more.
func TestDecodeEveryPrefix(t *testing.T) {
	var m Message
	for _, s := range sample() {
		for n := range s.b {
			if m.Decode(s.b[:n]) {
				t.Errorf("%s: decodes from its first %d of %d bytes", s.name, n, len(s.b))
			}
		}
		if m.Decode(append(s.b[:len(s.b):len(s.b)], 0)) {
			t.Errorf("%s: decodes with a byte too many", s.name)
		}
		if !m.Decode(s.b) || m.Kind != s.kind {
			t.Errorf("%s: does not decode, or to a %v", s.name, m.Kind)
		}
	}
}

// TestAccessorsOfAnotherKind: a message that is used again never shows what it held before.
func TestAccessorsOfAnotherKind(t *testing.T) {
	var m Message
	all := sample()
	for _, s := range append(all, all...) {
		if !m.Decode(s.b) {
			t.Fatalf("%s: does not decode", s.name)
		}
		f := func(what string, kinds []Kind, has bool) {
			t.Helper()
			want := false
			for _, k := range kinds {
				want = want || k == s.kind
			}
			if has != want {
				t.Errorf("%s: has a %s: %v", s.name, what, has)
			}
		}
		shown := func() {
			t.Helper()
			f("order", []Kind{KindOrder}, !m.Order().IsZero())
			f("vote", []Kind{KindVote}, !m.Vote().IsZero())
			f("certificate", []Kind{KindCertificate, KindCrossShard}, !m.Certificate().IsZero())
			f("error", []Kind{KindError}, m.Error() != nil)
			f("error code", []Kind{KindError}, m.ErrorCode() < numErrorCodes)
			f("info request", []Kind{KindInfoRequest}, m.InfoRequest() != nil)
			f("info response", []Kind{KindInfoResponse}, m.InfoResponse() != nil)
		}
		shown()
		if m.Decode(s.b[:len(s.b)-1]) {
			t.Fatalf("%s: decodes without its last byte", s.name)
		}
		s.kind = numKinds
		shown()
	}
}

// TestViewsDoNotGrow: an append to a view never writes into what follows it in the received bytes.
func TestViewsDoNotGrow(t *testing.T) {
	f := func(what string, b []byte) {
		t.Helper()
		if cap(b) != len(b) {
			t.Errorf("%s: %d bytes, capacity %d", what, len(b), cap(b))
		}
	}
	var m Message
	for _, s := range sample() {
		if !m.Decode(s.b) {
			t.Fatalf("%s: does not decode", s.name)
		}
		switch m.Kind {
		case KindOrder:
			f("order", m.Order().Bytes())
		case KindVote:
			f("vote", m.Vote().Bytes())
			f("order of a vote", m.Vote().Order().Bytes())
		case KindCertificate, KindCrossShard:
			f("certificate", m.Certificate().Bytes())
			f("order of a certificate", m.Certificate().Order().Bytes())
		case KindError:
			f("pending order of an error", m.Error().Pending.Bytes())
		case KindInfoResponse:
			r := m.InfoResponse()
			f("vote of a response", r.Pending.Bytes())
			f("certificate of a response", r.Certificate.Bytes())
			f("list of a response", r.Received.raw)
		}
	}
	message, _, _, _ := TakeFrame([]byte{1, 0, 0, 0, 'a', 'b'}, 1)
	f("frame", message)
}

func TestParseCertificate(t *testing.T) {
	c := NewCertificate(NewOrder(&Transfer{}, &crypto.Signature{}), make([]VoteEntry, 2))
	if got, err := ParseCertificate(c.Bytes()); err != nil || got.NumVotes() != 2 {
		t.Errorf("%d votes, %v", got.NumVotes(), err)
	}
	for _, b := range [][]byte{nil, c.Bytes()[1:], append(c.Bytes(), 0)} {
		if _, err := ParseCertificate(b); !errors.Is(err, &Error{Code: InvalidDecoding}) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if (Certificate{}).NumVotes() != 0 {
		t.Error("the zero certificate has votes")
	}
}

func TestTakeFrame(t *testing.T) {
	f := func(b string, limit int, message, rest string, ok bool, want error) {
		t.Helper()
		gotMessage, gotRest, gotOK, err := TakeFrame([]byte(b), limit)
		if string(gotMessage) != message || string(gotRest) != rest || gotOK != ok || err != want {
			t.Errorf("TakeFrame(%q, %d) = %q, %q, %v, %v", b, limit, gotMessage, gotRest, gotOK, err)
		}
	}
	f("", 10, "", "", false, nil)
	f("\x00\x00\x00", 10, "", "\x00\x00\x00", false, nil)
	f("\x00\x00\x00\x00", 10, "", "", true, nil)
	f("\x00\x00\x00\x00", 0, "", "", true, nil)
	f("\x02\x00\x00\x00a", 10, "", "\x02\x00\x00\x00a", false, nil)
	f("\x02\x00\x00\x00abc", 10, "ab", "c", true, nil)
	f("\x02\x00\x00\x00ab", 2, "ab", "", true, nil)
	f("\x03\x00\x00\x00", 2, "", "\x03\x00\x00\x00", false, ErrFrameTooLarge)
	f("\xff\xff\xff\xff", DefaultMaxMessage, "", "\xff\xff\xff\xff", false, ErrFrameTooLarge)
	f("\x00\x00\x00\x00", -1, "", "\x00\x00\x00\x00", false, ErrFrameTooLarge)
}

func TestFrameSize(t *testing.T) {
	f := func(b string, want int, wantErr error) {
		t.Helper()
		if n, err := FrameSize([]byte(b), 10); n != want || err != wantErr {
			t.Errorf("FrameSize(%q) = %d, %v; want %d, %v", b, n, err, want, wantErr)
		}
	}
	f("\x0a\x00\x00", 0, nil)
	f("\x0a\x00\x00\x00", 14, nil)
	f("\x0b\x00\x00\x00", 0, ErrFrameTooLarge)
}

func TestMaxCertificateSize(t *testing.T) {
	o := NewOrder(&Transfer{UserData: UserData{Present: true}}, &crypto.Signature{})
	for _, votes := range []int{0, 1, 14} {
		if got, want := MaxCertificateSize(votes), len(NewCertificate(o, make([]VoteEntry, votes)).Bytes()); got != want {
			t.Errorf("%d votes: %d bytes, want %d", votes, got, want)
		}
	}
}

func TestAppendErrorRepairsText(t *testing.T) {
	var m Message
	if !m.Decode(AppendError(nil, &Error{Code: ClientIoError, Text: "a\xffb"})) {
		t.Fatal("an error with a text that is not UTF-8 was encoded so that it does not decode")
	}
	if got := m.Error().Text; got != "a\ufffdb" {
		t.Errorf("text %q", got)
	}
}

func TestErrorTexts(t *testing.T) {
	f := func(e *Error, want string) {
		t.Helper()
		if got := e.Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(&Error{Code: ClientIoError, Text: "a\"\\\t\n\r\x00\x7f\u200b'"},
		`Network error while querying service: "a\"\\\t\n\r\0\u{7f}\u{200b}'".`)
	f(&Error{Code: 26}, "codec: unknown ErrorCode(26)")
	f(&Error{Code: PreviousTransferMustBeConfirmedFirst},
		"Cannot initiate transfer while a transfer order is still pending confirmation: None")
}

func TestNamesOfUnknownValues(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(Kind(7).String(), "Kind(7)")
	f(ErrorCode(26).String(), "ErrorCode(26)")
	f(RecipientKind(2).String(), "RecipientKind(2)")
}

func TestProgrammersMistakesPanic(t *testing.T) {
	f := func(what string, mistake func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", what)
			}
		}()
		mistake()
	}
	f("unknown error code", func() { AppendError(nil, &Error{Code: numErrorCodes}) })
	f("no pending order", func() { AppendError(nil, &Error{Code: PreviousTransferMustBeConfirmedFirst}) })
	f("empty list", func() { CertificateList{}.Next() })
	f("frame without header", func() { EndFrame([]byte{1, 2, 3}, 0) })
}

func TestAddressErrors(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		_, err := ParseAddress(s)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("ParseAddress(%.100q): %v, want %q in it", s, err, want)
		}
	}
	good := FormatAddress(&Address{1, 2, 3})
	f("", "has 0 characters, expected 44")
	f(strings.Repeat("A", 1<<20), "has 1048576 characters")
	f(good[:10]+"\n"+good[11:], `'\n' at offset 10`)
	f(good+"\n", `'=' at offset 43`)
	f(good[:42]+"B=", "mistyped near its end")
	f(good[:42]+"==", `'=' at offset 42`)
	f("\xff", `'ÿ' at offset 0`)
}

func TestBalanceJSON(t *testing.T) {
	var v struct{ Balance Balance }
	if err := json.Unmarshal([]byte(`{"balance": -170141183460469231731687303715884105728}`), &v); err != nil ||
		v.Balance != MinBalance {
		t.Errorf("%v, %v", v.Balance, err)
	}
	if text, err := json.Marshal(v); err != nil || string(text) != `{"Balance":-170141183460469231731687303715884105728}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, text := range []string{`{"balance": "5"}`, `{"balance": null}`, `{"balance": 1.0}`, `{"balance": 1e3}`} {
		if err := json.Unmarshal([]byte(text), &v); !errors.Is(err, ErrBalanceSyntax) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := ParseBalance(strings.Repeat("9", 1<<20))
	if !errors.Is(err, ErrBalanceRange) || len(err.Error()) > 200 {
		t.Errorf("a million digits: %.300v", err)
	}
}
