package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// TestInfosOfACommittee mixes questions into both loops, with one and with several generators, and with an authority that
// answers none.
func TestInfosOfACommittee(t *testing.T) {
	for i, faults := range []string{"", "silent:1"} {
		for j, generators := range []int{1, 2} {
			r := wholeRun(t, uint64(220+2*i+j), faults, func(o *Options) {
				o.Info, o.Generators, o.InProcess = 40, generators, generators == 1
			})
			if err := r.Err(false); err != nil || r.PaymentsOK != 500 || !r.Conserved {
				t.Fatalf("%q: %d payments, conserved %v, %v", faults, r.PaymentsOK, r.Conserved, err)
			}
			if !strings.Contains(r.benchmarkName(), "/info=40") {
				t.Errorf("named %s", r.benchmarkName())
			}
			if r.Load.Infos < 180 || r.Load.Infos > 220 || r.Load.InfoUs.P50 == nil {
				t.Errorf("%q, %d generators: %d info requests for 500 payments, %v", faults, generators, r.Load.Infos, r.Load.InfoUs)
			}
		}
	}
}

// TestCommitteeThatAnswersNoInfos: questions without a quorum are rejected requests, not silence.
func TestCommitteeThatAnswersNoInfos(t *testing.T) {
	r := wholeRun(t, 226, "silent:2", func(o *Options) { o.Info, o.RecvTimeout = 40, 300*time.Millisecond })
	if c := exitCode(t, r.Err(false)); c != ExitFailed || r.Load.Infos != 0 {
		t.Errorf("exit code %d, %d info requests", c, r.Load.Infos)
	}
}

// TestCreditsAreWatched: of payments across shards one in watchOneOf is seen to arrive, at a quorum and at all.
func TestCreditsAreWatched(t *testing.T) {
	const payments = 20000
	for i, mix := range []Mix{{}, {Pattern: Hot, Accounts: 2, Percent: 80}} {
		r := wholeRun(t, uint64(230+i), "", func(o *Options) { o.Payments, o.Mix = payments, mix })
		c := r.Committee
		if err := r.Err(false); err != nil {
			t.Fatal(err)
		}
		want := payments / 2 / watchOneOf // half of the payments stay in their shard
		if c.CreditsOneOf != watchOneOf || c.CreditsWatched < want/2 || c.CreditsWatched > 2*want || c.CreditsUnseen != 0 {
			t.Fatalf("%v: watched %d of about %d, %d unseen", mix, c.CreditsWatched, want, c.CreditsUnseen)
		}
		if c.CreditedUs.P50 == nil || c.CreditedAllUs.P50 == nil || c.CreditLagUs.P50 == nil ||
			*c.CreditedUs.P50 > *c.CreditedAllUs.P50 {
			t.Errorf("%v: to a quorum %v, to all %v, after the debit %v", mix, c.CreditedUs, c.CreditedAllUs, c.CreditLagUs)
		}
		var text strings.Builder
		if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "... credited by quorum:") {
			t.Errorf("%v:\n%s", err, text.String())
		}
		row := r.csvRow()
		if at := slices.Index(csvHeader, "credits_watched"); len(row) != len(csvHeader) || row[at] == "" || row[at-6] == "" {
			t.Errorf("CSV: %v", row)
		}
	}
	r := wholeRun(t, 232, "", func(o *Options) { o.NumShards = 1 })
	if c := r.Committee; c.CreditsOneOf != 0 || c.CreditedUs.Max != nil {
		t.Errorf("one shard: %+v", c)
	}
}

// watchedCredit is one payment that is watched, from its begin on, and whose authorities are played by the test.
type watchedCredit struct {
	*payers
	t    *testing.T
	slot int32
	p    *payment
}

func watchOne(t *testing.T, members int) *watchedCredit {
	w := newWorkload(3, members)
	w.expand(8, 8)
	made := &orders{workload: w, payers: 8, total: 8, signatures: make([]crypto.Signature, 8)}
	d := &payers{meter: newMeter(Payments), made: made, members: members, quorum: quorum(members), shards: 2,
		shardOf: made.shards(2), timeout: time.Second, tallies: make([]tally, members)}
	d.meter.begin(0)
	room(&d.meter.credited, &d.meter.creditedAll, &d.meter.creditLag)
	d.asides = &asides{credits: newCredits(members)}
	d.asides.credits.least = 1 << 32 // all are watched
	for member := range members {
		for shard := range 2 {
			s := newSeat(member, shard, 0, "", 0)
			s.fd = 0 // never written to here
			d.asides.seats = append(d.asides.seats, s)
		}
	}
	for k := range made.total {
		p := &payment{votes: nil}
		p.reset(k, made.order(k), 0, 0)
		d.asides.credits.begin(d, p)
		if slot, is := d.asides.credits.slotOf[k]; is {
			return &watchedCredit{d, t, slot, p}
		}
	}
	t.Fatal("none of 8 payments crosses shards")
	return nil
}

// answer has a member answer its oldest question at a time.
func (w *watchedCredit) answer(member int, at time.Duration, kind requestKind, message []byte) {
	w.t.Helper()
	s := w.asides.seats[member*2+w.asides.credits.watched[w.slot].shard]
	if s.owed() == 0 || s.asked.first().kind != kind {
		w.t.Fatalf("authority %d was asked %v, expected %v", member, s.asked.all[s.asked.head:], kind)
	}
	r := *s.asked.first()
	s.asked.remove()
	w.now_ = at
	w.asides.reply(w.payers, s, r, message)
}

func (w *watchedCredit) info(received int, list ...codec.Certificate) []byte {
	r := codec.InfoResponse{Account: *w.p.order.Recipient(),
		Balance: codec.NewBalance(initialBalance + uint64(received)*paymentAmount)}
	for _, c := range list {
		r.Received = r.Received.Append(c)
	}
	return codec.AppendInfoResponse(nil, &r)
}

func (w *watchedCredit) certificate(o codec.Order) codec.Certificate {
	return codec.NewCertificate(o, make([]codec.VoteEntry, w.quorum))
}

// TestCreditIsSeenWhenItIsThere plays the authorities: whatever comes in which order, a credit is seen with the answer that has
// it, and no sooner.
func TestCreditIsSeenWhenItIsThere(t *testing.T) {
	w := watchOne(t, 4)
	other := w.made.order((w.p.number + 1) % w.made.total)
	mine, others := w.certificate(w.p.order), w.certificate(other)
	for member := range 3 {
		w.answer(member, 1*time.Millisecond, askBalance, w.info(20))
	}
	for member := range 4 { // the last one's balance is not known yet
		w.now_ = 2 * time.Millisecond
		w.asides.credits.debit(w.payers, w.p.number, member)
	}
	asked := w.asides.seats[w.asides.credits.watched[w.slot].shard]
	var m codec.Message
	frame := asked.out[len(asked.out)-(4+4+32+1+9):]
	if !m.Decode(frame[4:]) || !m.InfoRequest().HasReceived || m.InfoRequest().ReceivedAfter != 20-creditMargin {
		t.Fatalf("asked %+v", m.InfoRequest())
	}
	w.answer(0, 3*time.Millisecond, askReceived, w.info(20, others)) // not there
	w.answer(1, 4*time.Millisecond, askReceived, w.info(21, others, mine))
	w.answer(2, 4*time.Millisecond, askReceived, w.info(21, mine, others))
	if w.meter.credited.TotalCount() != 0 || w.meter.creditLag.Max() < 1990 || w.meter.creditLag.Max() > 2010 {
		t.Fatalf("%d at a quorum, lag %d µs", w.meter.credited.TotalCount(), w.meter.creditLag.Max())
	}
	w.answer(0, 7*time.Millisecond, askReceived, w.info(21, mine))
	seen, after := w.meter.credited.TotalCount(), w.meter.credited.Max()
	if seen != 1 || after < 6990 || after > 7010 || w.meter.creditedAll.TotalCount() != 0 {
		t.Fatalf("%d at a quorum, after %d µs", seen, after)
	}
	w.answer(3, 8*time.Millisecond, askBalance, w.info(21)) // told after the credit
	w.answer(3, 9*time.Millisecond, askReceived, w.info(21, mine))
	if w.meter.creditedAll.Max() < 8990 || w.meter.unseen != 0 || len(w.asides.credits.free) != maxWatched {
		t.Errorf("at all after %d µs, %d unseen, %d slots free", w.meter.creditedAll.Max(), w.meter.unseen, len(w.asides.credits.free))
	}
}

// TestCreditThatNobodyShows is told, and its slot is used again.
func TestCreditThatNobodyShows(t *testing.T) {
	w := watchOne(t, 4)
	for member := range 4 {
		w.answer(member, 1*time.Millisecond, askBalance, w.info(0))
		w.asides.credits.debit(w.payers, w.p.number, member)
	}
	w.answer(0, 3*time.Millisecond, askReceived, codec.AppendError(nil, &codec.Error{Code: codec.CertificateNotfound}))
	w.now_ = w.timeout
	w.asides.expire(w.payers)
	if w.meter.unseen != 1 || len(w.asides.credits.free) != maxWatched {
		t.Errorf("%d unseen, %d slots free", w.meter.unseen, len(w.asides.credits.free))
	}
	s := w.asides.seats[2+w.asides.credits.watched[w.slot].shard]
	r := *s.asked.first()
	w.asides.reply(w.payers, s, r, w.info(1, w.certificate(w.p.order))) // too late, and of nothing that is known
	if w.meter.credited.TotalCount() != 0 {
		t.Error("an answer about a payment that was given up counts")
	}
}
