package bench

import (
	"testing"
	"time"

	"fastpay/node/committee"
)

// TestCommitteeOverUDP loses datagrams, delays them, and has authorities that answer none: every payment is settled, by all that
// are sound, and what was lost was sent again.
func TestCommitteeOverUDP(t *testing.T) {
	for i, faults := range []string{"", "loss:5", "delay:2", "slow:1,20", "silent:1", "silent:1,loss:2"} {
		t.Run(faults, func(t *testing.T) {
			r := wholeRun(t, uint64(240+i), faults, func(o *Options) {
				o.Protocol, o.Payments, o.RecvTimeout = committee.UDP, 300, 5*time.Second
			})
			if err := r.Err(false); err != nil || r.PaymentsOK != 300 || r.OrdersOK != 300 || !r.Conserved {
				t.Fatalf("%d payments, %d certificates, conserved %v, %v, %v", r.PaymentsOK, r.OrdersOK, r.Conserved, err, r.Rejections)
			}
			if lossy := faults == "loss:5"; lossy && r.Retransmitted < 100 {
				t.Errorf("%d sent again", r.Retransmitted)
			}
			for _, m := range r.Committee.Members {
				if m.Fault != "silent:1" && (!m.Audited || m.BadVotes+m.TwoVotes+m.Refused > 0) {
					t.Errorf("%+v", m)
				}
			}
			if faults == "delay:2" && *r.LatencyUs.Confirmation.P50 < 8_000 { // twice there and back
				t.Errorf("latency %v with a delay of 2 ms", r.LatencyUs.Confirmation)
			}
		})
	}
}

// TestCommitteeOverUDPWithoutQuorum: what nobody answers is lost, and is not sent again for ever.
func TestCommitteeOverUDPWithoutQuorum(t *testing.T) {
	r := wholeRun(t, 250, "silent:2", func(o *Options) { o.Protocol, o.RecvTimeout = committee.UDP, 600*time.Millisecond })
	if c := exitCode(t, r.Err(false)); c != ExitFailed || r.PaymentsOK != 0 || r.Lost == 0 || r.Retransmitted == 0 {
		t.Errorf("exit code %d, %d payments, %d lost, %d sent again", c, r.PaymentsOK, r.Lost, r.Retransmitted)
	}
}

// TestMembersThatDieAndReturnOverUDP forget what they had settled, and are told all of it in the end.
func TestMembersThatDieAndReturnOverUDP(t *testing.T) {
	r := wholeRun(t, 251, "restart:1/0.4", func(o *Options) {
		o.Protocol, o.InProcess, o.Payments, o.Seconds, o.Rate, o.MaxInFlight = committee.UDP, false, 0, 1, 500, 1000
		o.RecvTimeout, o.Generators, o.Info = 5*time.Second, 2, 20
	})
	sentOrSaid(t, r)
	if err := r.Err(false); err != nil || !r.Conserved || r.Load.Infos == 0 {
		t.Fatalf("conserved %v, %d infos, %v, %v", r.Conserved, r.Load.Infos, err, r.Rejections)
	}
	if back := r.Committee.Members[3]; !back.Audited || back.Replayed == 0 {
		t.Errorf("%+v", back)
	}
}
