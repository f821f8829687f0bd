package bench

import (
	"context"
	"runtime"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf"
)

// The number of payments to prepare for a window by time is estimated from what their signatures cost on this machine, and
// the least that everything else takes, so that on a slow machine nobody waits for payments that are never sent. When the
// estimate is too low the run begins again (afterExhausted).
const (
	calibrateFor     = 150 * time.Millisecond // of CPU time, and
	calibrateTimes   = 3                      // at least: the first fills tables and caches
	calibrateBatch   = 128
	leastOverheadTCP = 3 * time.Microsecond   // of everything but signatures, generator included, a payment and core
	leastOverheadOne = 1500 * time.Nanosecond // the same of an order or certificate alone
	leastOverheadUDP = 12 * time.Microsecond  // four datagrams through the kernel
	calibrateMargin  = 1.05
	afterWindow      = 300 * time.Millisecond // load goes on while the window's ends are recorded
	leastMemory      = 2 << 30                // assumed when the machine does not tell
	preparedMemShare = 4                      // at most one in so many bytes of memory holds payments
)

// probe has the signatures of payments, for trying what they cost.
type probe struct {
	work       *workload
	keys       *crypto.KeySet
	messages   [][]byte           // signed bytes of the payments
	signatures []crypto.Signature // signaturesOf of each: the payer's at 0, the votes from 2 on
}

// newProbe makes n payments of w's committee.
func newProbe(w *workload, n int) (*probe, error) {
	p := &probe{work: &workload{seed: w.seed, members: w.members, voters: w.voters}, messages: make([][]byte, n)}
	p.work.expand(n, n)
	s := newSigner(p.work, newLanes(p.work, 1, 1, 0, both), nil)
	rounds, err := s.sign(context.Background(), 0, 1, n, nil)
	if err != nil {
		return nil, err
	}
	p.signatures = rounds[0]
	spec := (&Options{Host: "localhost", NumShards: 1, Protocol: committee.TCP}).spec(p.work)
	c, err := spec.committeeAt(firstPort)
	if err != nil {
		return nil, err
	}
	if p.keys, err = c.Keys(); err != nil {
		return nil, err
	}
	for i := range p.messages {
		t := p.work.transfer(i, 0)
		p.messages[i] = t.AppendSignedBytes(make([]byte, 0, codec.MinSignedSize))
	}
	return p, nil
}

func (p *probe) verifier() *crypto.Verifier { return crypto.NewVerifier(p.keys) }

// check checks the payers' signatures, or the votes, or both, in one batch, and returns how many that were.
func (p *probe) check(v *crypto.Verifier, orders, votes bool) (n int) {
	v.Reset()
	each := p.work.signaturesOf()
	for i, message := range p.messages {
		signatures := p.signatures[i*each : (i+1)*each]
		if orders {
			v.AddOrder(&p.work.accounts[i], message, &signatures[0])
			n++
		}
		if !votes {
			continue
		}
		for j, member := range p.work.voters {
			v.AddVote(member, message, &signatures[2+j])
			n++
		}
	}
	v.Verify()
	return n
}

// signatureCost measures the least CPU time that the signatures of a payment, or of the phase of it that is measured,
// take the measured authority: the order's and the votes' are checked, and its own vote made. It is 0 when they can't be
// made; the run that follows tells why.
func signatureCost(w *workload, phase Phase) time.Duration {
	p, err := newProbe(w, calibrateBatch)
	if err != nil {
		return 0
	}
	v := p.verifier()
	votes := make([]crypto.Signature, calibrateBatch)
	runtime.LockOSThread() // its own CPU time counts: other programs must not make this one look slow
	defer runtime.UnlockOSThread()
	best := time.Hour
	began := perf.ThreadUsage().CPU
	for i := 0; i < calibrateTimes || perf.ThreadUsage().CPU-began < calibrateFor; i++ {
		start := perf.ThreadUsage().CPU
		p.check(v, true, phase != Orders)
		if phase != Confirmations {
			w.members[0].SignBatch(votes, p.messages)
		}
		best = min(best, perf.ThreadUsage().CPU-start)
	}
	return best / calibrateBatch
}

// fastSigning is the time for a signature, with all CPUs at work, below which a disk is no faster: some 30 MB/s.
const fastSigning = 2 * time.Microsecond

// signsFast reports whether signatures are made faster here than they can be cached.
func signsFast(w *workload) bool {
	messages := make([][]byte, calibrateBatch)
	for i := range messages {
		messages[i] = make([]byte, codec.MinSignedSize)
		messages[i][0] = byte(i)
	}
	signatures := make([]crypto.Signature, calibrateBatch)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Hour
	for range calibrateTimes {
		start := perf.ThreadUsage().CPU
		w.members[0].SignBatch(signatures, messages)
		best = min(best, perf.ThreadUsage().CPU-start)
	}
	return best/calibrateBatch/time.Duration(len(perf.AllowedCPUs())) < fastSigning
}

// paymentsFor estimates how many payments this machine's authority can settle at most in the time of p.
func (o *Options) paymentsFor(w *workload, p plan) int {
	cost := signatureCost(w, o.Phase)
	switch {
	case o.Protocol == committee.UDP:
		cost += leastOverheadUDP
	case o.Phase != Payments:
		cost += leastOverheadOne
	default:
		cost += leastOverheadTCP
	}
	rate := float64(len(perf.AllowedCPUs())) / cost.Seconds()
	return min(int(calibrateMargin*rate*p.loadSeconds())+2*o.MaxInFlight, maxPrepared(len(w.voters)))
}

// loadSeconds is how long the authority is under load in a plan by time.
func (p plan) loadSeconds() float64 { return (p.warmUp + p.window + afterWindow).Seconds() }

// maxPrepared is how many payments with so many votes the memory may hold.
func maxPrepared(votes int) int {
	size := certAt + header + certificateSize(votes) + crypto.SignatureSize
	return int(max(perf.MemoryBytes(), leastMemory)/preparedMemShare) / size
}
