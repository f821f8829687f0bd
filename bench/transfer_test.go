package bench

import (
	"context"
	"strings"
	"testing"

	"fastpay/node/committee"
)

// TestTransfersOnAnIdleCommittee makes some over each protocol.
func TestTransfersOnAnIdleCommittee(t *testing.T) {
	for _, protocol := range []committee.Protocol{committee.TCP, committee.UDP} {
		l, err := RunTransfers(context.Background(), TransferOptions{Protocol: protocol, CommitteeSize: 4, Transfers: 200})
		if err != nil {
			t.Fatal(err)
		}
		if l.Certificate.P50 == nil || l.Settled.P50 == nil || *l.Certificate.P50 <= 0 || *l.Settled.P50 < *l.Certificate.P50 {
			t.Errorf("%s: order to certificate %v, to settled %v", protocol, l.Certificate, l.Settled)
		}
		var text strings.Builder
		if err := l.WriteText(&text); err != nil || !strings.Contains(text.String(), "Order to certificate:  p50 ") {
			t.Errorf("%v, %q", err, text.String())
		}
		t.Log(text.String())
	}
	if _, err := RunTransfers(context.Background(), TransferOptions{CommitteeSize: 4, Transfers: 1}); err == nil {
		t.Error("one transfer: no error")
	}
}
