package bench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/node/committee"
)

// patientTimeout is a time-out that no request of a correct authority reaches, however busy the machine is with other tests.
const patientTimeout = 30 * time.Second

// wholeRun is a small run of a whole committee in this process.
func wholeRun(t *testing.T, seed uint64, faults string, change func(*Options)) *Result {
	t.Helper()
	o := endToEnd(seed)
	o.Protocol, o.Topology, o.InProcess, o.NumShards, o.RecvTimeout = committee.TCP, WholeCommittee, true, 2, patientTimeout
	var err error
	if o.Faults, err = ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	var log bytes.Buffer
	r, err := Run(context.Background(), o, &log)
	if err != nil {
		t.Fatal(err, log.String())
	}
	return r
}

func TestWholeCommittee(t *testing.T) {
	for i, inProcess := range []bool{true, false} {
		r := wholeRun(t, uint64(100+i), "", func(o *Options) { o.InProcess = inProcess })
		if c := exitCode(t, r.Err(false)); c != 0 || !slices.Equal(r.Flags, []string{FlagShortWindow}) {
			t.Errorf("exit code %d, flags %v, %v", c, r.Flags, r.Rejections)
		}
		if r.PaymentsOK != 500 || r.OrdersOK != 500 || !r.Conserved {
			t.Errorf("%d payments, %d certificates, conserved %v", r.PaymentsOK, r.OrdersOK, r.Conserved)
		}
		c := r.Committee
		if c.Authorities != 4 || c.Quorum != 3 || len(c.Members) != 4 || len(c.Violations) != 0 || c.SettledAll == 0 {
			t.Errorf("%+v", c)
		}
		votes, confirmations := 0, 0
		for _, m := range c.Members {
			votes += m.Votes
			confirmations += m.Confirmations
			if !m.Settled || !m.Audited || m.Refused+m.BadVotes+m.TwoVotes > 0 {
				t.Errorf("%+v", m)
			}
		}
		if all := r.ConfirmedAll; votes != 3*all || confirmations < 3*all {
			t.Errorf("%d votes and %d confirmations for %d payments", votes, confirmations, all)
		}
		if r.Node.Certificates < 3*500 {
			t.Errorf("all authorities together: %+v", r.Node)
		}
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"4 authorities, ", "settled by all", "no two certificates or votes for one number"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is not in the text:\n%s", want, text.String())
			}
		}
	}
}

// TestCommitteeOutlivesItsFaultyThird: a correct authority that is slow makes the others wait for the wrong votes, which would
// else come after the certificate was made and not be looked at.
func TestCommitteeOutlivesItsFaultyThird(t *testing.T) {
	for i, fault := range []string{"silent:1", "slow:1,20", "wrong-signature:1,slow:1,20", "equivocate:1", "delay:2,loss:0.5", "silent:1,slow:1,5,wrong-signature:1"} {
		t.Run(fault, func(t *testing.T) {
			r := wholeRun(t, uint64(110+i), fault, func(o *Options) {
				o.Payments = 200
				if strings.Contains(fault, ",wrong") {
					o.CommitteeSize = 7
				}
			})
			if c := exitCode(t, r.Err(false)); c != 0 {
				t.Fatalf("exit code %d: %v", c, r.Err(false))
			}
			if r.PaymentsOK != 200 || len(r.Committee.Violations) > 0 || !r.Conserved {
				t.Errorf("%d payments, violations %v, conserved %v", r.PaymentsOK, r.Committee.Violations, r.Conserved)
			}
			last := r.Committee.Members[len(r.Committee.Members)-1]
			switch {
			case fault == "silent:1" && last.Votes+last.Confirmations > 0,
				strings.HasPrefix(fault, "wrong-signature:1") && (last.Votes > 0 || last.BadVotes == 0),
				fault == "equivocate:1" && last.TwoVotes == 0,
				strings.HasPrefix(fault, "slow") && !last.Audited:
				t.Errorf("%s: %+v", fault, last)
			}
			for _, m := range r.Committee.Members {
				if m.Fault == "" && (!m.Audited || m.BadVotes+m.TwoVotes > 0) {
					t.Errorf("a correct authority: %+v", m)
				}
			}
			if strings.HasPrefix(fault, "delay") && *r.LatencyUs.Confirmation.P50 < 8_000 { // twice there and back
				t.Errorf("latency %v with a delay of 2 ms", r.LatencyUs.Confirmation)
			}
		})
	}
}

// TestMoreLiarsThanTolerated must find the two certificates that two of four authorities make possible.
func TestMoreLiarsThanTolerated(t *testing.T) {
	r := wholeRun(t, 120, "equivocate:2", nil)
	if c := exitCode(t, r.Err(false)); c != ExitUnsafe {
		t.Errorf("exit code %d, want %d", c, ExitUnsafe)
	}
	if !slices.Contains(r.Flags, FlagUnsafe) || len(r.Committee.Violations) == 0 || !strings.Contains(r.Committee.Violations[0], "two certificates") {
		t.Errorf("flags %v, violations %v", r.Flags, r.Committee.Violations)
	}
}

func TestCommitteeWithoutQuorumLosesPayments(t *testing.T) {
	r := wholeRun(t, 121, "silent:2", func(o *Options) { o.RecvTimeout = 300 * time.Millisecond })
	if c := exitCode(t, r.Err(false)); c != ExitFailed || r.PaymentsOK != 0 || r.Lost == 0 {
		t.Errorf("exit code %d, %d payments, %d lost", c, r.PaymentsOK, r.Lost)
	}
}

// TestMembersThatDieAndReturn: what holds of every run is checked in every run. On a machine that is busy with other things a
// process may take longer to start than the window lasts, so what needs time is asked of longer and longer windows.
func TestMembersThatDieAndReturn(t *testing.T) {
	for seconds := 1.0; ; seconds *= 2 {
		r := wholeRun(t, 122, "restart:1/0.3,crash:1@0.4", func(o *Options) {
			o.CommitteeSize, o.InProcess, o.Payments, o.Seconds = 7, false, 0, seconds
		})
		if c := exitCode(t, r.Err(false)); c != 0 {
			t.Fatalf("exit code %d: %v", c, r.Err(false))
		}
		gone, back := r.Committee.Members[5], r.Committee.Members[6]
		if gone.Fault != "crash:1@400ms" || gone.Settled {
			t.Errorf("the one that crashed: %+v", gone)
		}
		if back.Fault != "restart:1/300ms" || !back.Settled || !back.Audited {
			t.Errorf("the one that came back: %+v", back)
		}
		started, felt := 0, false
		for _, e := range r.Committee.Events {
			felt = felt || e.What == killed && e.Seconds > 0.2 && e.Seconds < r.Seconds-0.2
			if e.What == "started" {
				started++
			}
		}
		if felt && len(r.Committee.Dips) == 0 || !r.Conserved || len(r.Committee.Violations) > 0 {
			t.Errorf("events %v, dips %v, violations %v", r.Committee.Events, r.Committee.Dips, r.Committee.Violations)
		}
		if t.Failed() || started > 0 && gone.Breaks > 0 && back.Replayed > 0 {
			return
		}
		t.Logf("a window of %v s: %d started, %d breaks, %d replayed", seconds, started, gone.Breaks, back.Replayed)
		if seconds >= 8 {
			t.Fatal("nobody was seen to die and return")
		}
	}
}

func TestCommitteeInAnOpenLoop(t *testing.T) {
	r := wholeRun(t, 123, "", func(o *Options) { o.Rate, o.MaxInFlight, o.Payments, o.Seconds = 200, 1000, 0, 0.5 })
	sentOrSaid(t, r)
	if l := r.Load; math.Abs(float64(l.Due)-200*r.Seconds) > 3 || l.ServiceUs.Confirmation.P50 == nil || !r.Conserved {
		t.Errorf("%+v", l)
	}
}

func TestWhatACommitteeCantDo(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"udp": func(o *Options) {
			o.Protocol, o.Faults = committee.UDP, []Fault{{Kind: WrongSignature, Members: 1}}
		},
		"phase":       func(o *Options) { o.Phase = Orders },
		"connections": func(o *Options) { o.Connections = 2 },
		"size":        func(o *Options) { o.CommitteeSize = MaxWholeCommittee + 1 },
		"port":        func(o *Options) { o.Port = 65500 },
		"profiles":    func(o *Options) { o.Profiles = []string{"cpu"} },
		"in-process":  func(o *Options) { o.InProcess, o.Faults = true, []Fault{{Kind: Crash, Members: 1, At: 1}} },
		"faults":      func(o *Options) { o.Faults = []Fault{{Kind: Silent, Members: 11}} },
		"authority":   func(o *Options) { o.Topology, o.Faults = OneAuthority, []Fault{{Kind: Silent, Members: 1}} },
		"topology":    func(o *Options) { o.Topology = numTopologies },
	} {
		o := DefaultOptions()
		o.Protocol, o.Topology = committee.TCP, WholeCommittee
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&o)
		if err := o.Check(); err == nil {
			t.Errorf("%s: no error for %+v", name, o)
		}
	}
}

// TestSeveralGenerators has two processes make the load, in both loops and with a fault.
func TestSeveralGenerators(t *testing.T) {
	count := wholeRun(t, 130, "", func(o *Options) { o.InProcess, o.Generators, o.Payments = false, 2, 301 })
	if err := count.Err(false); err != nil || count.PaymentsOK != 301 || count.OrdersOK != 301 || !count.Conserved {
		t.Errorf("%d payments, %d certificates, conserved %v, %v", count.PaymentsOK, count.OrdersOK, count.Conserved, err)
	}
	if h := count.LatencyUs.Confirmation; h.P50 == nil || *h.Max < *h.P50 || count.Committee.Generators != 2 {
		t.Errorf("latency %v, %+v", h, count.Committee)
	}
	open := wholeRun(t, 131, "wrong-signature:1", func(o *Options) {
		o.InProcess, o.Generators, o.Payments, o.Seconds, o.Rate, o.MaxInFlight = false, 2, 0, 0.5, 300, 1000
	})
	sentOrSaid(t, open)
	if err := open.Err(false); err != nil || math.Abs(float64(open.Load.Due)-300*open.Seconds) > 60*open.Seconds || !open.Conserved {
		t.Errorf("%+v, conserved %v, %v", open.Load, open.Conserved, err)
	}
	bad := 0
	for _, m := range open.Committee.Members {
		bad += m.BadVotes
	}
	if bad == 0 || len(open.Committee.Violations) > 0 {
		t.Errorf("%d wrong votes, violations %v", bad, open.Committee.Violations)
	}
}

// TestMembersThatKeepTheirState are killed and come back with what their journals hold: however fast the machine, a payment is
// either confirmed by the member in its turn or replayed to it, never both. One that had forgotten would be replayed what it
// had confirmed before, too.
func TestMembersThatKeepTheirState(t *testing.T) {
	for seconds := 0.9; ; seconds *= 2 {
		r := wholeRun(t, 140, fmt.Sprintf("restart:1/%v", seconds*0.6), func(o *Options) {
			o.InProcess, o.Payments, o.Seconds, o.Durability, o.DataDir = false, 0, seconds, "sync", t.TempDir()
		})
		if err := r.Err(false); err != nil || !r.Conserved {
			t.Fatal(err, r.Conserved)
		}
		back, kills := r.Committee.Members[3], 0
		for _, e := range r.Committee.Events {
			kills += btoi(e.What == killed)
		}
		if !back.Settled || !back.Audited {
			t.Errorf("of %d payments: %+v", r.ConfirmedAll, back)
		}
		// What was being replayed when it was killed once more is replayed again, and counted again.
		if kills == 1 && back.Confirmations+back.Replayed > r.ConfirmedAll {
			t.Errorf("of %d payments %d were confirmed and %d replayed: %+v", r.ConfirmedAll, back.Confirmations, back.Replayed, back)
		}
		if t.Failed() || kills == 1 && back.Breaks > 0 && back.Confirmations > 0 && back.Replayed > 0 {
			return
		}
		t.Logf("a window of %v s: %d kills, %+v", seconds, kills, back)
		if seconds > 8 {
			t.Fatal("nobody was seen to die once and return")
		}
	}
}
