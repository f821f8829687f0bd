package node

import (
	"math/rand/v2"
	"sync"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// TestForgedSignatures sends a share of bad orders and certificates over one connection, good ones over another. Each
// request gets its right answer, and only the bad source ends among the suspects.
func TestForgedSignatures(t *testing.T) {
	for _, percent := range []int{1, 3, 30, 100} {
		const requests = 300
		w := newWorld(t, 4, 1, 2*requests)
		n := w.start(w.options())
		random := rand.New(rand.NewPCG(uint64(percent), 2))
		var streams [2][][]byte
		var bad [requests]bool
		forgeries := 0
		for i := range requests {
			for side := range 2 {
				o := w.order(2*i+side, 0, 1, 0)
				m := codec.AppendOrder(nil, o)
				if i%2 == 1 {
					m = codec.AppendCertificate(nil, w.certificate(o))
				}
				if side == 0 && (random.IntN(100) < percent || i == 0) {
					bad[i] = true
					forgeries++
					m[len(m)-40] ^= 1
				}
				streams[side] = append(streams[side], m)
			}
		}
		conns := [2]*client{w.dial(0), w.dial(0)}
		var done sync.WaitGroup
		for side, c := range conns {
			done.Go(func() {
				for at := 0; at < requests; at += 50 {
					c.send(streams[side][at:min(at+50, requests)]...)
					for i := at; i < min(at+50, requests); i++ {
						m, err := c.tryReceive(patience)
						if err != nil {
							t.Error(err)
							return
						}
						forged := side == 0 && bad[i]
						if forged && m.ErrorCode() != codec.InvalidSignature || !forged && m.Kind != codec.KindInfoResponse {
							t.Errorf("%d %%, side %d, request %d: forged %v, answer %d, %v", percent, side, i, forged, m.Kind, m.Error())
						}
					}
				}
			})
		}
		done.Wait()
		if s := n.Stats(); s.BadSignatures != uint64(forgeries) || s.Rejected != uint64(forgeries) {
			t.Errorf("%d %%: %d forgeries, counted %d, rejected %d", percent, forgeries, s.BadSignatures, s.Rejected)
		}
		found := make(chan [2]bool, 1)
		n.workers[0].run(&task{func() {
			var suspect [2]bool
			for c := n.workers[0].conns.first; c != nil; c = c.next {
				for side := range conns {
					if c.sock.RemoteAddr().String() == conns[side].LocalAddr().String() {
						suspect[side] = !c.suspectUntil.IsZero()
					}
				}
			}
			found <- suspect
		}})
		if got := <-found; got != [2]bool{true, false} {
			t.Errorf("%d %%: suspects %v", percent, got)
		}
		w.stop(n)
	}
}

// TestWhatHasVerifiedIsComparedWhole tries to use what verified before for something else: a signature of ours moved to
// another transfer or another member, a certificate of a pending order with another sender's signature, in the same batch and later.
func TestWhatHasVerifiedIsComparedWhole(t *testing.T) {
	w := newWorld(t, 4, 1, 24)
	n := w.loopless(w.options())
	worker := n.workers[0]
	s := worker.open(t)
	ours := func(o codec.Order, vote *crypto.Signature) codec.Certificate {
		votes := []codec.VoteEntry{{Authority: w.members[0].Name, Signature: *vote}}
		for i := 1; i < 3; i++ {
			v := codec.VoteEntry{Authority: w.members[i].Name}
			w.keys[i].Sign(&v.Signature, o.AppendSignedBytes(nil))
			votes = append(votes, v)
		}
		return codec.NewCertificate(o, votes)
	}
	o, other := w.order(0, 1, 1, 0), w.order(0, 2, 1, 0)
	var vote, zero crypto.Signature
	w.keys[0].Sign(&vote, o.AppendSignedBytes(nil))
	transfer := o.Transfer()
	badSender := codec.NewOrder(&transfer, other.Signature())
	var copies []codec.VoteEntry // our one vote, under the names of others too
	for i := range 3 {
		copies = append(copies, codec.VoteEntry{Authority: w.members[i].Name, Signature: vote})
	}
	attempts := []codec.Certificate{codec.NewCertificate(o, copies), ours(other, &vote), ours(badSender, &vote), ours(o, other.Signature()), ours(o, &zero)}
	try := func(when string) {
		for i, c := range attempts {
			s.feed(frame(codec.AppendCertificate(nil, c)))
			worker.drain()
			if r := s.replies(); len(r) != 1 || r[0].ErrorCode() != codec.InvalidSignature {
				t.Errorf("%s, attempt %d: %v", when, i, r[0].Error())
			}
		}
	}
	try("before the order")
	s.feed(frame(codec.AppendOrder(nil, o))) // one batch: order, then forgeries of its certificate
	for _, c := range attempts {
		s.feed(frame(codec.AppendCertificate(nil, c)))
	}
	worker.drain()
	for i, m := range s.replies() {
		if (m.Kind == codec.KindInfoResponse) != (i == 0) {
			t.Errorf("one batch, request %d: %v", i, m.Error())
		}
	}
	try("with the order pending")
	before := n.Stats().Signatures
	s.feed(frame(codec.AppendCertificate(nil, ours(o, &vote))), frame(codec.AppendOrder(nil, o)))
	worker.drain()
	if r := s.replies(); len(r) != 2 || r[0].Kind != codec.KindInfoResponse || r[1].ErrorCode() != codec.UnexpectedSequenceNumber {
		t.Error("the right certificate, then its order again: wrong answers")
	}
	if checked := n.Stats().Signatures - before; checked != 2 {
		t.Errorf("%d signatures checked, want those of 2 votes", checked)
	}
	try("after the certificate")
}
