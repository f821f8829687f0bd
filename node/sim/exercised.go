package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Exercised counts what has occurred in a world, or in many.
type Exercised struct {
	Payments, Certificates, Votes, Settled, Credits, Received uint64
	Conflicts, Collusions, Blocked, Debts                     uint64
	Lost, Duplicated, Delayed, Separated, Undelivered         uint64
	Partitions, Retransmitted, Timeouts, Failed               uint64
	Crashes, CrashesUnsynced, Recoveries, RecordsLost         uint64
	DiskErrors, TornCommits, TornRecoveries                   uint64
	Snapshots, FailedSnapshots, TornSnapshots                 uint64
	SnapshotsLoaded, SegmentsRemoved                          uint64
	FlipsDetected, FlipsHarmless, FlipsLastGroup              uint64
	Restored, RestoresRefused                                 uint64
	WalletCrashes, WalletsPending                             uint64
	CreditsResent, CreditsRepeated, CreditGaps, LinkBreaks    uint64
	Minted, FundingRepeated, Redeemed                         uint64
	Amnesias                                                  uint64

	creditsOut uint64 // that left, for the small world

	lies   [numBehaviors]uint64
	forged [numForgeries]uint64
}

// counter is one number with its name, and the faults that cause it.
type counter struct {
	name  string
	value *uint64
	cause Faults // 0: none is needed
}

// Which faults a world has, it draws, and some need several at once, or a long world. So that something never occurred
// tells something only after so many worlds, and so many payments in all.
const (
	missingWorlds  = 200
	commonPayments = 10_000
	rarePayments   = 200_000
)

func (x *Exercised) counters() []counter {
	list := []counter{
		{"payments", &x.Payments, 0}, {"certificates", &x.Certificates, 0}, {"votes", &x.Votes, 0},
		{"settlements", &x.Settled, 0}, {"credits between shards", &x.Credits, 0}, {"payments received", &x.Received, 0},
		{"conflicting orders", &x.Conflicts, Collusion}, {"of these certified", &x.Collusions, Collusion},
		{"and blocked for a while", &x.Blocked, Collusion}, {"negative balances for a while", &x.Debts, Loss},
		{"messages lost", &x.Lost, Loss}, {"duplicated", &x.Duplicated, Duplicates}, {"delayed", &x.Delayed, Reordering},
		{"cut off by partitions", &x.Separated, Partitions}, {"partitions", &x.Partitions, Partitions},
		{"undelivered to stopped processes", &x.Undelivered, Crashes}, {"requests sent again", &x.Retransmitted, Loss},
		{"requests given up", &x.Timeouts, Loss}, {"errands failed", &x.Failed, Loss},
		{"crashes of processes", &x.Crashes, Crashes}, {"of these with replies waiting", &x.CrashesUnsynced, Crashes},
		{"recoveries", &x.Recoveries, Crashes}, {"records lost that nobody saw", &x.RecordsLost, Crashes},
		{"failed commits", &x.DiskErrors, DiskErrors | Crashes},
		{"crashes in the middle of a commit", &x.TornCommits, DiskErrors | Crashes},
		{"crashes in the middle of a recovery", &x.TornRecoveries, DiskErrors | Crashes},
		{"snapshots made", &x.Snapshots, Crashes}, {"recoveries from one", &x.SnapshotsLoaded, Crashes},
		{"snapshots that failed", &x.FailedSnapshots, DiskErrors | Crashes},
		{"crashes while one was made", &x.TornSnapshots, DiskErrors | Crashes},
		{"times that segments were removed", &x.SegmentsRemoved, Crashes},
		{"flipped bits that recovery saw", &x.FlipsDetected, Flips | Crashes},
		{"flipped bits without harm", &x.FlipsHarmless, Flips | Crashes},
		{"old copies of a disk", &x.Restored, Restores | Crashes},
		{"of these refused by a link", &x.RestoresRefused, Restores | Crashes},
		{"flipped bits that took the last group", &x.FlipsLastGroup, Flips | Crashes}, {"crashes of clients", &x.WalletCrashes, Wallets},
		{"of these with an order pending", &x.WalletsPending, Wallets}, {"credits sent again", &x.CreditsResent, Duplicates},
		{"credits repeated", &x.CreditsRepeated, Loss},
		{"broken connections of links", &x.LinkBreaks, Loss}, {"transactions of the Primary", &x.Minted, Bridge},
		{"of these repeated or too early", &x.FundingRepeated, Bridge}, {"redeemed", &x.Redeemed, Bridge},
		{"memory lost by liars", &x.Amnesias, Byzantine},
	}
	for k := range x.lies {
		cause := Byzantine
		if behaviorKind(k) == beTwin {
			cause = Twins
		}
		list = append(list, counter{"answers of liars: " + behaviorNames[k], &x.lies[k], cause})
	}
	for k := range x.forged {
		list = append(list, counter{"forgeries: " + forgeryNames[k], &x.forged[k], Collusion})
	}
	return list
}

// Add adds the counts of another world.
func (x *Exercised) Add(y *Exercised) {
	from := y.counters()
	for i, c := range x.counters() {
		*c.value += *from[i].value
	}
}

// rare are the counters of what occurs in few worlds, and mostly in long ones.
func (x *Exercised) rare() []*uint64 {
	return []*uint64{&x.TornRecoveries, &x.FailedSnapshots, &x.TornSnapshots, &x.SegmentsRemoved, &x.FlipsDetected, &x.FlipsHarmless,
		&x.FlipsLastGroup, &x.Restored, &x.RestoresRefused}
}

// Missing names what these faults should have caused in so many worlds, and did not.
func (x *Exercised) Missing(faults Faults, worlds uint64) (names []string) {
	rare := x.rare()
	for _, c := range x.counters() {
		after := uint64(commonPayments)
		if slices.Contains(rare, c.value) {
			after = rarePayments
		}
		if *c.value == 0 && c.cause&^faults == 0 && worlds >= missingWorlds && x.Payments >= after {
			names = append(names, c.name)
		}
	}
	return names
}

// String is a table, one count a line, without those that are zero.
func (x *Exercised) String() string {
	var b strings.Builder
	for _, c := range x.counters() {
		if *c.value > 0 {
			fmt.Fprintf(&b, "%14d  %s\n", *c.value, c.name)
		}
	}
	return b.String()
}
