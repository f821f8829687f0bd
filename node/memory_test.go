package node

import (
	"runtime"
	"testing"

	"fastpay/codec"
)

// TestPaymentsTakeNoMemory settles payments on a disk, with snapshots made and segments removed on the way: what an
// authority keeps in memory grows with accounts, and not with payments.
func TestPaymentsTakeNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("settles 6,000 payments")
	}
	w := newWorld(t, 4, 2, 12)
	o := w.onDisk(t.TempDir(), DurabilitySync)
	*o.limits = tiny
	o.limits.commitHere, o.limits.creditRing = 0, 256<<10
	o.Retain, o.Workers, o.Pin = Retain{}, 2, "off"
	n := w.loopless(o)
	defer n.store.close()
	conns := make([]*socket, 2)
	for i, worker := range n.workers {
		conns[i] = worker.open(t)
	}
	payments, snapshots := 0, 0
	pay := func(count int) {
		for range count {
			account, number := payments%12, payments/12
			payments++
			s := w.shardOf(account)
			conns[n.byShard[s].index].feed(frame(codec.AppendCertificate(nil,
				w.certificate(w.order(account, (account+1+number%11)%12, 1, uint64(number))))))
			if payments%12 != 0 {
				continue
			}
			n.settle(t)
			for i, worker := range n.workers {
				worker.acknowledge()
				conns[i].replies()
			}
			if to := n.store.journal.Sealed(); n.store.snapshotDue(to) {
				if err := n.store.makeSnapshot(to); err != nil {
					t.Fatal(err)
				}
				if err := n.store.retire(); err != nil {
					t.Fatal(err)
				}
				snapshots++
			}
		}
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what has finalizers goes the second time
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	pay(3000)
	before := heap()
	pay(3000)
	grown := heap() - before
	t.Logf("%d payments, %d snapshots, the heap has grown by %d bytes in the second half", payments, snapshots, grown)
	if settled := n.Stats().Certificates; snapshots < 10 || settled != uint64(payments) {
		t.Errorf("%d snapshots, %d of %d payments settled", snapshots, settled, payments)
	}
	if grown > 3000*8 { // a pointer for each would be as much
		t.Errorf("3,000 payments took %d bytes", grown)
	}
}
