package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fastpay/codec"

	"pgregory.net/rapid"
)

// play delivers a driver's requests until nothing is left that anyone answers. pick chooses which of the waiting
// requests comes next. It returns what was sent, and whether the verdict fell before any silence was noticed.
func (w *world) play(d *Driver, pick func(n int) int) (transcript []string, prompt bool) {
	var waiting, unanswered []Request
	for {
		for _, r := range d.Requests() {
			transcript = append(transcript, describe(&r))
			waiting = append(waiting, r)
		}
		if len(waiting) == 0 {
			break
		}
		i := pick(len(waiting))
		r := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		if reply := w.authorities[r.Authority].handle(r.Message); reply != nil {
			d.Reply(r.ID, reply)
		} else {
			unanswered = append(unanswered, r)
		}
	}
	prompt = d.Done()
	for len(unanswered) > 0 {
		r := unanswered[0]
		unanswered = unanswered[1:]
		d.Fail(r.ID, ioError(errTimeout))
		for _, r := range d.Requests() {
			transcript = append(transcript, describe(&r))
			if reply := w.authorities[r.Authority].handle(r.Message); reply != nil {
				d.Reply(r.ID, reply)
			} else {
				unanswered = append(unanswered, r)
			}
		}
	}
	return transcript, prompt
}

func inOrder(int) int { return 0 }

// TestCertifyScenarios tries committees of four with faulty members. Behaviors not given are honest.
func TestCertifyScenarios(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	for _, s := range []struct {
		name      string
		behaviors map[int]behavior
		amount    uint64
		setup     func(w *world)
		voters    string // of the certificate
		err       string
		late      bool // the verdict needs the silent ones' time-outs
	}{
		{name: "all honest", voters: "0 1 2"},
		{name: "one silent", behaviors: map[int]behavior{0: silent}, voters: "1 2 3"},
		{name: "one loses its answers", behaviors: map[int]behavior{1: mute}, voters: "0 2 3"},
		{name: "one talks garbage", behaviors: map[int]behavior{2: garbage}, voters: "0 1 3"},
		{name: "one signs wrongly", behaviors: map[int]behavior{0: badVotes}, voters: "1 2 3"},
		{name: "one votes in another's name", behaviors: map[int]behavior{1: otherVotes}, voters: "0 2 3"},
		{name: "one votes for another order", behaviors: map[int]behavior{0: oldVotes}, voters: "1 2 3"},
		{name: "one answers for another account", behaviors: map[int]behavior{0: otherAccount}, voters: "1 2 3"},
		{name: "one claims a million payments", behaviors: map[int]behavior{0: boasts}, voters: "1 2 3"},
		{name: "one refuses", behaviors: map[int]behavior{3: refuses(codec.WrongShard)}, voters: "0 1 2"},
		{name: "two silent", behaviors: map[int]behavior{0: silent, 1: silent}, late: true,
			err: `Failed to communicate with a quorum of authorities: Network error while querying service: "timed out waiting for the answer".`},
		{name: "two sign wrongly", behaviors: map[int]behavior{0: badVotes, 1: badVotes},
			err: "Failed to communicate with a quorum of authorities: Signature is not valid: the authority's vote does not verify"},
		{name: "two fail differently", behaviors: map[int]behavior{1: garbage, 2: refuses(codec.WrongShard)},
			err: "(multiple errors): authority 1: Cannot deserialize.; authority 2: Wrong shard used."},
		{name: "too much money", amount: 101,
			err: "Failed to communicate with a quorum of authorities: The transferred amount must be not exceed the current account balance: Balance(100)"},
		{name: "number used by the same order", setup: func(w *world) { w.pay(t, payer, payee, 10, 0, 0, 1, 2, 3) }, voters: "0 1 2"},
		{name: "number used, one silent", behaviors: map[int]behavior{0: silent},
			setup: func(w *world) { w.pay(t, payer, payee, 10, 0, 0, 1, 2, 3) }, voters: "0 1 2"},
		{name: "settled at one only, the rest votes", setup: func(w *world) { w.pay(t, payer, payee, 10, 0, 3) }, voters: "0 1 2"},
	} {
		t.Run(s.name, func(t *testing.T) {
			run := func() (*Driver, []string, bool) {
				w := newWorld(t, 4)
				w.fund(t, payer.Public(), 100)
				if s.setup != nil {
					s.setup(w)
				}
				for i, b := range s.behaviors {
					w.authorities[i].set(b)
				}
				d := NewCertify(w.committee, testOrder(payer, payee, max(s.amount, 10), 0), nil, nil, nil)
				transcript, prompt := w.play(d, inOrder)
				if d.Err() == nil {
					w.certifies(t, d.Certificate())
				}
				return d, transcript, prompt
			}
			d, transcript, prompt := run()
			if !d.Done() || prompt == s.late {
				t.Errorf("done %v, before any time-out %v", d.Done(), prompt)
			}
			if s.err != "" {
				if d.Err() == nil || !strings.Contains(d.Err().Error(), s.err) {
					t.Errorf("got error %v", d.Err())
				}
			} else if d.Err() != nil {
				t.Errorf("got error %v", d.Err())
			} else if got := voters(d.Certificate()); got != s.voters {
				t.Errorf("certified by %s, want %s", got, s.voters)
			}
			if _, again, _ := run(); !slices.Equal(transcript, again) {
				t.Errorf("a second run sent other requests:\n%q\n%q", transcript, again)
			}
		})
	}
}

func voters(c codec.Certificate) string {
	var list []string
	for v := range c.NumVotes() {
		name, _ := c.Vote(v)
		for i := range 10 {
			if authorityKey(i).Public() == *name {
				list = append(list, fmt.Sprint(i))
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// TestCertifyTranscript shows what is sent to a committee with one authority that lags three payments behind, while another
// one is silent: its certificates come from the wallet, or else from those who have them.
func TestCertifyTranscript(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 4)
	w.fund(t, payer.Public(), 100)
	var known []codec.Certificate
	for n := range uint64(3) {
		known = append(known, w.pay(t, payer, payee, 1, n, 1, 2))
	}
	w.pay(t, payer, payee, 1, 0, 0)
	w.authorities[3].set(silent)
	lookup := func(sender *codec.Address, n uint64) (codec.Certificate, bool) {
		if *sender == payer.Public() && n == 1 {
			return known[1], true
		}
		return codec.Certificate{}, false
	}
	d := NewCertify(w.committee, testOrder(payer, payee, 5, 3), nil, lookup, nil)
	transcript, prompt := w.play(d, inOrder)
	if !prompt || d.Err() != nil {
		t.Fatalf("done before any time-out: %v, error %v", prompt, d.Err())
	}
	w.certifies(t, d.Certificate())
	want := []string{"state? to 0", "state? to 1", "state? to 2", "state? to 3",
		"certificate 2? to 1", "certificate 2? to 2", "certificate 1 to 0", "order 3 to 1", "order 3 to 2", "certificate 2 to 0", "order 3 to 0"}
	if !slices.Equal(transcript, want) {
		t.Errorf("sent\n%q, want\n%q", transcript, want)
	}
}

// TestCertifyTopsUp pays out of money that came in at other authorities than those that answer now.
func TestCertifyTopsUp(t *testing.T) {
	rich, payer, payee := testKey(1), testKey(2), testKey(3).Public()
	for _, late := range []bool{false, true} {
		w := newWorld(t, 4)
		w.fund(t, rich.Public(), 100)
		w.pay(t, rich, payee, 5, 0, 0, 1, 2) // before the one that matters, and unknown to authority 3 as well
		received := w.pay(t, rich, payer.Public(), 50, 1, 0, 1, 2)
		w.authorities[0].set(silent)
		w.authorities[3].hold = late // the credit arrives only after the order was refused once more
		d := NewCertify(w.committee, testOrder(payer, payee, 30, 0), []codec.Certificate{received}, nil, nil)
		retries := 0
		transcript, prompt := w.play(d, func(int) int {
			if late {
				if retries++; retries == 14 {
					w.authorities[3].releaseCredits()
				}
			}
			return 0
		})
		if !prompt || d.Err() != nil || voters(d.Certificate()) != "1 2 3" {
			t.Fatalf("late %v: prompt %v, error %v, sent %q", late, prompt, d.Err(), transcript)
		}
	}
}

// TestCertifyConflict meets another order of the payer.
func TestCertifyConflict(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 4)
	w.fund(t, payer.Public(), 100)
	other := testOrder(payer, payee, 99, 0)
	for i := range 2 {
		w.authorities[i].handle(codec.AppendOrder(nil, other))
	}
	d := NewCertify(w.committee, testOrder(payer, payee, 1, 0), nil, nil, nil)
	w.play(d, inOrder)
	var q *QuorumError
	if !errors.As(d.Err(), &q) || !errors.Is(q, &codec.Error{Code: codec.PreviousTransferMustBeConfirmedFirst}) {
		t.Fatalf("error %v", d.Err())
	}
	if c := d.Conflicts(); len(c) != 1 || c[0].Weight != 2 || !sameTransfer(c[0].Order, other) {
		t.Fatalf("conflicts %v", c)
	}
}

// TestSettleBringsAllUpToDate goes on after the quorum until everyone has everything, a restarted authority included.
func TestSettleBringsAllUpToDate(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 4)
	w.fund(t, payer.Public(), 100)
	const last = 40
	for n := range uint64(last) {
		w.pay(t, payer, payee, 1, n, 0, 1, 2)
	}
	final := w.certificate(testOrder(payer, payee, 1, last))
	d := NewSettle(w.committee, final, nil)
	w.play(d, inOrder)
	if !d.Idle() || d.Err() != nil {
		t.Fatalf("idle %v, error %v", d.Idle(), d.Err())
	}
	for i := range w.authorities {
		if got := w.balance(i, payer.Public()); got != "59" {
			t.Errorf("authority %d has %s", i, got)
		}
	}
}

// TestSettleEndsWithLiars is done although one authority claims again and again to lack everything.
func TestSettleEndsWithLiars(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 4)
	w.fund(t, payer.Public(), 100)
	w.pay(t, payer, payee, 1, 0, 0, 1, 2, 3)
	w.authorities[1].set(forgets)
	d := NewSettle(w.committee, w.certificate(testOrder(payer, payee, 1, 1)), nil)
	if transcript, prompt := w.play(d, inOrder); !prompt || d.Err() != nil || !d.Idle() {
		t.Fatalf("prompt %v, idle %v, error %v, sent %q", prompt, d.Idle(), d.Err(), transcript)
	}
}

// TestFetch finds a certificate that only the last two have, past liars and the silent, and each is asked once.
func TestFetch(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 7)
	w.fund(t, payer.Public(), 100)
	w.pay(t, payer, payee, 1, 0, 5, 6)
	w.authorities[0].set(silent)
	w.authorities[1].set(func(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
		forged := w.certificate(testOrder(payer, payee, 1, 0))
		forged.Order().Bytes()[70]++ // the amount
		return codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: payer.Public(), Certificate: forged})
	})
	account := payer.Public()
	d := NewFetch(w.committee, &account, 0, 1)
	transcript, prompt := w.play(d, inOrder)
	if !prompt || d.Err() != nil || len(d.Fetched()) != 1 {
		t.Fatalf("prompt %v, error %v, sent %q", prompt, d.Err(), transcript)
	}
	w.certifies(t, d.Certificate())
	slices.Sort(transcript)
	if len(slices.Compact(slices.Clone(transcript))) != len(transcript) {
		t.Errorf("someone was asked twice: %q", transcript)
	}
}

// TestFetchUnknown ends before the time-outs when a quorum does not have it.
func TestFetchUnknown(t *testing.T) {
	payer := testKey(1).Public()
	w := newWorld(t, 4)
	w.fund(t, payer, 100)
	w.authorities[2].set(silent)
	d := NewFetch(w.committee, &payer, 0, 3)
	if _, prompt := w.play(d, inOrder); !prompt || !errors.Is(d.Err(), &codec.Error{Code: codec.CertificateNotfound}) {
		t.Fatalf("prompt %v, error %v", prompt, d.Err())
	}
}

func TestSurvey(t *testing.T) {
	payer, payee := testKey(1), testKey(2).Public()
	w := newWorld(t, 4)
	w.fund(t, payer.Public(), 100)
	w.pay(t, payer, payee, 10, 0, 0, 1)
	pending := testOrder(payer, payee, 3, 0)
	w.authorities[2].handle(codec.AppendOrder(nil, pending))
	w.authorities[3].set(boasts)
	account := payer.Public()
	d := NewSurvey(w.committee, &account)
	for range 2 { // the verdict must not need the fourth
		r := d.Requests()
		for _, i := range []int{3, 2, 0, 1} {
			if i < len(r) {
				d.Reply(r[i].ID, w.authorities[i].handle(r[i].Message))
			}
		}
	}
	if !d.Done() || d.Err() != nil {
		t.Fatalf("done %v, error %v", d.Done(), d.Err())
	}
	if claimed, sure := d.Next(); claimed != 1_000_000 || sure != 1 {
		t.Errorf("next: claimed %d, sure %d", claimed, sure)
	}
	if b := d.Balance(); b != codec.NewBalance(0) { // the liar's 0 is among the three
		t.Errorf("balance %s", b)
	}
	if c := d.Conflicts(); len(c) != 1 || !sameTransfer(c[0].Order, pending) {
		t.Errorf("conflicts %v", c)
	}
}

// TestReceiveCollects takes together what the authorities have, page by page, from whichever order they have it in.
func TestReceiveCollects(t *testing.T) {
	payee := testKey(9)
	w := newWorld(t, 4)
	for k := range byte(3) {
		payer := testKey(k + 1)
		w.fund(t, payer.Public(), 100)
		for n := range uint64(5) {
			w.pay(t, payer, payee.Public(), 1, n, int(k), 3)
		}
	}
	w.authorities[3].set(func(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
		q := *m.InfoRequest()
		q.ReceivedAfter = 0 // the same page again and again
		return w.authorities[3].info(&q)
	})
	account := payee.Public()
	counted := w.certificate(testOrder(testKey(1), account, 1, 2))
	d := NewReceive(w.committee, &account, func(c codec.Certificate) bool { return comparePayments(c, counted) == 0 })
	if _, prompt := w.play(d, inOrder); !prompt || d.Err() != nil {
		t.Fatalf("prompt %v, error %v", prompt, d.Err())
	}
	list := d.Received()
	if len(list) != 14 || !slices.IsSortedFunc(list, comparePayments) {
		t.Fatalf("%d certificates", len(list))
	}
	for _, c := range list {
		w.certifies(t, c)
	}
}

// TestCertifyAnyOrder draws faults for up to f authorities of 4 or 7, weights, lag, and the order of arrival. A
// certificate comes without any time-out, and verifies.
func TestCertifyAnyOrder(t *testing.T) {
	faults := []behavior{silent, mute, garbage, badVotes, otherVotes, oldVotes, otherAccount, boasts, forgets,
		refuses(codec.WrongShard), refuses(codec.InsufficientFunding), refuses(codec.UnexpectedSequenceNumber)}
	payer, payee := testKey(1), testKey(2).Public()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.SampledFrom([]int{4, 7}).Draw(rt, "n")
		w := newWorld(t, n)
		w.fund(t, payer.Public(), 100)
		paid := uint64(rapid.IntRange(0, 3).Draw(rt, "paid"))
		faulty := rapid.Permutation(slices.Collect(upTo(n))).Draw(rt, "faulty")[:(n-1)/3]
		for number := range paid {
			var at []int
			for i := range n {
				if slices.Contains(faulty, i) || rapid.IntRange(0, 3).Draw(rt, "has") > 0 {
					at = append(at, i)
				}
			}
			c := w.certificate(testOrder(payer, payee, 1, number))
			for _, i := range at {
				w.authorities[i].handle(codec.AppendCertificate(nil, c)) // may be refused, where one before it is missing
			}
		}
		for _, i := range faulty {
			w.authorities[i].set(rapid.SampledFrom(faults).Draw(rt, "fault"))
		}
		lookup := func(sender *codec.Address, number uint64) (codec.Certificate, bool) {
			return w.certificate(testOrder(payer, payee, 1, number)), *sender == payer.Public() && number < paid
		}
		d := NewCertify(w.committee, testOrder(payer, payee, 5, paid), nil, lookup, nil)
		transcript, prompt := w.play(d, func(k int) int { return rapid.IntRange(0, k-1).Draw(rt, "next") })
		if !prompt || d.Err() != nil {
			rt.Fatalf("prompt %v, error %v, sent %q", prompt, d.Err(), transcript)
		}
		if err := w.committee.CheckCertificate(d.Certificate()); err != nil {
			rt.Fatal(err)
		}
		settle := NewSettle(w.committee, d.Certificate(), lookup)
		if _, prompt := w.play(settle, inOrder); !prompt || settle.Err() != nil || !settle.Idle() {
			rt.Fatalf("settle: prompt %v, idle %v, error %v", prompt, settle.Idle(), settle.Err())
		}
		for i := range n {
			if got := w.balance(i, payer.Public()); got != fmt.Sprint(95-paid) && !slices.Contains(faulty, i) {
				rt.Fatalf("authority %d has %s", i, got)
			}
		}
	})
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
