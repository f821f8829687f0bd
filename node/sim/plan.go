package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Faults is a set of kinds of faults.
type Faults uint32

// The kinds of faults. Each world draws from those that it is given which ones it has, and how many.
const (
	Loss Faults = 1 << iota
	Duplicates
	Reordering
	Partitions
	Byzantine // members that lie, are silent or slow, or forget
	Twins     // members that run twice with one key
	Collusion // owners who sign conflicting orders, and forgers
	Crashes   // of authorities, with their disks
	DiskErrors
	Wallets   // crashes of clients
	Bridge    // money from and to the Primary
	Flips     // of bits on disks
	Restores  // of old copies of disks
	AllFaults = Restores<<1 - 1
)

var faultNames = []string{"loss", "duplicates", "reordering", "partitions", "byzantine", "twins", "collusion", "crashes",
	"disk", "wallets", "bridge", "flips", "restores"}

// FaultNames are the names that ParseFaults knows.
func FaultNames() []string { return faultNames }

// ParseFaults reads a list of names with commas between them, "all", or "none".
func ParseFaults(list string) (Faults, error) {
	switch list {
	case "all":
		return AllFaults, nil
	case "none", "":
		return 0, nil
	}
	var f Faults
names:
	for name := range strings.SplitSeq(list, ",") {
		for i, known := range faultNames {
			if name == known {
				f |= 1 << i
				continue names
			}
		}
		return 0, fmt.Errorf("sim: no fault %q; there are %s, all, none", name, strings.Join(faultNames, ", "))
	}
	return f, nil
}

// String is the list that ParseFaults reads.
func (f Faults) String() string {
	switch f {
	case AllFaults:
		return "all"
	case 0:
		return "none"
	}
	var names []string
	for i, name := range faultNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Options say which worlds are tried. The zero value of each is drawn by the seed, or a default.
type Options struct {
	Seed     uint64
	Payments int    // to be made by correct owners; 0 for DefaultPayments
	Members  int    // 4, 7, 10, ...; 0: drawn
	Payers   int    // correct owners; 0: drawn
	Faults   Faults // those that may occur
	Real     bool   // Ed25519 instead of cheap signatures
}

// DefaultPayments is the size of a world in payments.
const DefaultPayments = 1000

// Plan is a world before it begins: sizes and rates, all drawn from the seed. Times are virtual, in µs; rates are of a
// thousand.
type Plan struct {
	Options
	Shards  int
	Split   bool // each shard is a process of its own
	Durable bool // processes have disks

	Loss, Duplicates      int
	DelayMin, DelayMax    uint64
	Slow                  int // messages that take ten times as long
	BatchMax, SyncMax     uint64
	ResendAfter           uint64
	PartitionEvery        uint64 // on average; 0: never
	PartitionMax          uint64
	CrashEvery, DownMax   uint64
	DiskErrors            int            // failing commits
	TornCommits           int            // crashes in the middle of one
	SegmentKB             int            // of journals
	SnapshotEvery         uint64         // on average; 0: none are made
	Forget                bool           // certificates that nobody needs for a recovery are gone, or the oldest ones
	FlipMember            int            // whose disk may lose a bit; -1: nobody's
	RestoreMember         int            // whose disk may be replaced by an old copy; -1: nobody's
	WalletCrashes         int            // crashes of a client at a point where it could
	Bare                  bool           // wallets have of their own payments the last certificate alone
	Liars                 []behaviorKind // of members 0..; the others are correct
	Weights               []uint64       // voting rights, by member; nil: each has 1
	Colluders             int
	ForgeEvery            uint64
	MintEvery             uint64
	RingKB                int
	RedeemShare, SelfPays int // payments to the Primary and to oneself
}

// drawPlan draws everything from the seed.
func drawPlan(o Options, rng *rand.Rand) Plan {
	p := Plan{Options: o}
	between := func(low, high int) int { return low + rng.IntN(high-low+1) }
	has := func(f Faults, percent int) bool { return rng.IntN(100) < percent && o.Faults&f != 0 }
	if n := []int{4, 4, 4, 7, 10}[rng.IntN(5)]; o.Members == 0 {
		p.Members = n
	}
	if n := between(4, 24); o.Payers == 0 {
		p.Payers = n
	}
	p.Shards = between(1, 4)
	p.Split = p.Shards > 1 && rng.IntN(2) == 0
	p.DelayMin = uint64(between(50, 500))
	p.DelayMax = p.DelayMin + 1
	p.BatchMax, p.SyncMax, p.ResendAfter = uint64(between(1, 300)), uint64(between(1, 2000)), uint64(between(2000, 20000))
	if has(Reordering, 70) {
		p.DelayMax = p.DelayMin * uint64(between(2, 10))
		p.Slow = between(0, 20)
	}
	if has(Loss, 60) {
		p.Loss = between(1, 300)
		if rng.IntN(2) == 0 {
			p.Loss = between(1, 30)
		}
	}
	if has(Duplicates, 60) {
		p.Duplicates = between(1, 200)
	}
	if has(Partitions, 40) {
		p.PartitionEvery, p.PartitionMax = uint64(between(50_000, 1_000_000)), uint64(between(10_000, 200_000))
	}
	if has(Crashes, 60) {
		p.Durable = true
		p.CrashEvery, p.DownMax = uint64(between(20_000, 500_000)), uint64(between(1_000, 200_000))
		p.SegmentKB = 64 << between(0, 1)
		if has(Crashes, 70) {
			p.SnapshotEvery, p.Forget = uint64(between(10_000, 200_000)), rng.IntN(5) == 0
		}
		if has(DiskErrors, 40) {
			p.DiskErrors = between(1, 10)
		}
		if has(DiskErrors, 60) {
			p.TornCommits = between(1, 20)
		}
	}
	p.drawLiars(rng, has)
	p.FlipMember, p.RestoreMember = -1, -1
	if p.Durable && has(Flips|Restores, 50) { // that member is faulty, too
		p.Liars = p.Liars[:min(len(p.Liars), (p.Members-1)/3-1)]
		if p.RestoreMember = len(p.Liars); o.Faults&Flips != 0 && (o.Faults&Restores == 0 || rng.IntN(2) == 0) {
			p.FlipMember, p.RestoreMember = p.RestoreMember, -1
		}
	}
	if has(Collusion, 70) {
		p.Colluders, p.ForgeEvery = between(1, 4), uint64(between(300, 5_000))
	}
	if has(Wallets, 50) {
		p.WalletCrashes = between(1, 30)
	}
	if has(Bridge, 50) {
		p.MintEvery, p.RedeemShare = uint64(between(2_000, 50_000)), between(10, 200)
	}
	p.SelfPays = between(0, 50)
	p.RingKB = ringKB << between(3, 6)
	if has(Wallets, 25) && !p.Durable {
		p.RingKB, p.Forget = smallRingKB, true
	}
	p.Bare = has(Wallets, 30) && !p.Forget // else nobody might have the certificates that are needed
	if rng.IntN(100) < 30 {
		p.drawWeights(rng)
	}
	return p
}

// drawWeights gives members voting rights from 1 to 5, and correct ones more until those that are faulty, or may come to
// be, have less than a third.
func (p *Plan) drawWeights(rng *rand.Rand) {
	p.Weights = make([]uint64, p.Members)
	faulty, total := uint64(0), uint64(0)
	mayBe := max(len(p.Liars), p.FlipMember+1, p.RestoreMember+1)
	for i := range p.Weights {
		p.Weights[i] = 1 + rng.Uint64N(5)
		total += p.Weights[i]
		if i < mayBe {
			faulty += p.Weights[i]
		}
	}
	for ; 3*faulty >= total; total++ {
		p.Weights[mayBe+rng.IntN(p.Members-mayBe)]++
	}
}

// weight is that of a member's vote.
func (p *Plan) weight(member int) uint64 {
	if p.Weights == nil {
		return 1
	}
	return p.Weights[member]
}

// quorum reports whether a weight is more than two thirds of all.
func (p *Plan) quorum(weight uint64) bool {
	total := uint64(0)
	for m := range p.Members {
		total += p.weight(m)
	}
	return 3*weight > 2*total
}

// drawLiars chooses at most f members that are not correct.
func (p *Plan) drawLiars(rng *rand.Rand, has func(Faults, int) bool) {
	kinds := make([]behaviorKind, 0, numBehaviors)
	if has(Byzantine, 80) {
		for k := behaviorKind(0); k < numBehaviors; k++ {
			if k != beTwin {
				kinds = append(kinds, k)
			}
		}
	}
	if has(Twins, 50) {
		kinds = append(kinds, beTwin, beTwin)
	}
	if len(kinds) == 0 {
		return
	}
	most := (p.Members - 1) / 3
	for range most - rng.IntN(most+1)/2 {
		p.Liars = append(p.Liars, kinds[rng.IntN(len(kinds))])
	}
}
