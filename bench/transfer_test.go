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

// TestTransfersWithAJournal: a committee without one takes turns, and what the journal adds is told in syncs.
func TestTransfersWithAJournal(t *testing.T) {
	l, err := RunTransfers(context.Background(), TransferOptions{Protocol: committee.TCP, CommitteeSize: 1, Transfers: 100,
		Durability: "sync", DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if l.Durability != "sync" || l.Memory == nil || l.Memory.SyncP50Us <= 0 || *l.Memory.Settled.P50 <= 0 {
		t.Fatalf("%+v", l)
	}
	var text strings.Builder
	if err := l.WriteText(&text); err != nil || !strings.Contains(text.String(), " In turn, without a journal:") {
		t.Errorf("%v, %q", err, text.String())
	}
}

// TestAddedSyncs: a median that grew by one and a half syncs for one reply, and by four for two.
func TestAddedSyncs(t *testing.T) {
	us := func(n int64) Percentiles { return Percentiles{P50: &n} }
	l := TransferLatency{Certificate: us(250), Settled: us(600), Memory: &MemoryLatency{Certificate: us(100), Settled: us(200),
		SyncP50Us: 100}}
	if certificate, settled, ok := l.AddedSyncs(); !ok || certificate != 1.5 || settled != 2 {
		t.Errorf("%v, %v, %v", certificate, settled, ok)
	}
	if _, _, ok := new(TransferLatency).AddedSyncs(); ok {
		t.Error("without a journal")
	}
}
