package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf"
)

// Attack is something that peers do to an authority, beside honest payers. AttackOverload is the honest payers' own.
type Attack uint8

// The attacks, all over loopback.
const (
	AttackIdle          Attack = iota // connections that say nothing
	AttackSlow                        // connections that say a byte a second
	AttackChurn                       // connections that come and go, in every manner
	AttackNeverRead                   // questions with long answers, that nobody reads
	AttackNeverFinish                 // frames that are never whole
	AttackGarbage                     // frames that are wrong in every manner, lengths up to 2^32-1, resets within a frame
	AttackBadSignatures               // orders whose signatures don't verify
	AttackFlood                       // datagrams of all these kinds
	AttackForged                      // datagrams from others' addresses, the authority's own among them
	AttackOverload                    // three times as many payments as the authority can take
	numAttacks
)

// attacks has for each its name, what is said about it, and the least share of honest payments that must be left.
var attacks = [numAttacks]struct {
	name, what string
	least      float64
}{
	AttackIdle:          {"idle", "connections that say nothing", 0.90},
	AttackSlow:          {"slow", "connections that say a byte a second, and are opened again when the authority closes them", 0.90},
	AttackChurn:         {"churn", "connections that come and go, some with a request, some with half of one, some reset", 0},
	AttackNeverRead:     {"never-read", "questions with long answers that nobody reads", 0},
	AttackNeverFinish:   {"never-finish", "frames of 60 KB that never end", 0},
	AttackGarbage:       {"garbage", "damaged messages, impossible lengths, resets within a frame", 0},
	AttackBadSignatures: {"bad-signatures", "orders whose signatures don't verify", 0},
	AttackFlood:         {"flood", "UDP: garbage, forgeries and questions from a few sockets", 0},
	AttackForged:        {"forged", "UDP: the same from any address of 127.0.0.0/8, the authority's own ports among them", 0},
	AttackOverload:      {"overload", "three times as many payments as the authority can take", 0.80},
}

func (a Attack) String() string {
	if a < numAttacks {
		return attacks[a].name
	}
	return fmt.Sprintf("Attack(%d)", uint8(a))
}

// AttackNames lists the names that ParseAttacks takes.
func AttackNames() (names []string) {
	for _, a := range attacks {
		names = append(names, a.name)
	}
	return names
}

// ParseAttacks reads a list of names with commas; "all" is all of them.
func ParseAttacks(list string) (all []Attack, err error) {
	if list == "all" {
		for a := range numAttacks {
			all = append(all, a)
		}
		return all, nil
	}
next:
	for name := range strings.SplitSeq(list, ",") {
		for a := range numAttacks {
			if attacks[a].name == name {
				all = append(all, a)
				continue next
			}
		}
		return nil, fmt.Errorf("bench: no attack is called %q, there are %s, and all", name, strings.Join(AttackNames(), ", "))
	}
	return all, nil
}

// AttackOptions say what to try. The honest payers are those of Options: over TCP, as fast as the authority takes them, or
// at a rate. Everything goes to an authority on loopback that RunAttacks starts, and to nobody else.
type AttackOptions struct {
	Options
	Attacks []Attack
	Hostile int           // connections of the attackers
	Pairs   int           // times that payments are counted without the attack, and then with it
	Turn    time.Duration // how long, each
}

// DefaultAttackOptions are those of RESULTS.md: one shard, so that on two CPUs the attackers have the other one.
func DefaultAttackOptions() AttackOptions {
	o := AttackOptions{Options: DefaultOptions(), Hostile: 2000, Pairs: 7, Turn: 700 * time.Millisecond}
	o.Protocol, o.CommitteeSize, o.NumShards, o.NumAccounts = committee.TCP, 4, 1, 20_000
	o.Seed = attackSeed
	return o
}

// Limits of an attack.
const (
	maxHostile = 25_000
	maxPairs   = 100
	maxTurn    = 10 * time.Minute
	// attackWarmUp comes before the first turn, and turnSettle before each.
	attackWarmUp = time.Second
	turnSettle   = 200 * time.Millisecond
	// connectTime is about how long a hostile connection takes to be opened and closed beside the load.
	connectTime = 600 * time.Microsecond
	// attackSeed is not that of other benchmarks, which may run at the same time: of a key there is one authority.
	attackSeed = 1016
)

// Check tells what is wrong with o, as RunAttacks would.
func (o *AttackOptions) Check() error {
	switch {
	case len(o.Attacks) == 0:
		return errors.New("bench: no attack is asked for")
	case o.Hostile < 1 || o.Hostile > maxHostile:
		return fmt.Errorf("bench: %d hostile connections, expected 1 to %d", o.Hostile, maxHostile)
	case o.Pairs < 1 || o.Pairs > maxPairs:
		return fmt.Errorf("bench: %d pairs, expected 1 to %d", o.Pairs, maxPairs)
	case o.Turn < 10*time.Millisecond || o.Turn > maxTurn:
		return fmt.Errorf("bench: a turn of %v, expected 10ms to %v", o.Turn, maxTurn)
	case o.Protocol != committee.TCP || o.Phase != Payments || o.Topology != OneAuthority || o.Peer != "" || o.Info > 0:
		return errors.New("bench: under attack one authority is measured, with whole payments over TCP")
	}
	o.Host, o.Payments, o.Seconds = "127.0.0.1", 0, o.loadTime().Seconds()
	return o.Options.Check()
}

// loadTime is how long there is load in the row of any of the attacks, which opening connections between turns takes, too.
func (o *AttackOptions) loadTime() (most time.Duration) {
	for _, a := range o.Attacks {
		turns := time.Duration(2*o.Pairs) * (o.Turn + 2*turnSettle)
		switch a {
		case AttackOverload: // and recoveries: half of the peak, and what is left
			turns += recoveryTurns*(o.Turn+2*turnSettle) + 3*recoveryLimit
		case AttackIdle, AttackSlow, AttackNeverFinish:
			turns += time.Duration(o.Pairs*o.Hostile) * connectTime
		}
		most = max(most, attackWarmUp+turns)
	}
	return most
}

// RunAttacks tries the attacks one after the other, each on an authority of its own that has the same accounts.
func RunAttacks(ctx context.Context, o AttackOptions, stderr io.Writer) (*AttackResult, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	stderr = inTurns(stderr)
	if err := o.checkDescriptors(); err != nil {
		return nil, err
	}
	s := &siege{AttackOptions: o, stderr: stderr, work: newWorkload(o.Seed, o.CommitteeSize)}
	r := &AttackResult{
		Schema: schemaVersion, Command: o.Command, Seed: o.Seed, CommitteeSize: o.CommitteeSize, NumShards: o.NumShards,
		NumAccounts: o.NumAccounts, MaxInFlight: o.MaxInFlight, Durability: o.Durability, Rate: o.Rate, Hostile: o.Hostile,
		TurnSeconds: o.Turn.Seconds(), Environment: perf.NewEnvironment(crypto.Backend()),
	}
	for _, a := range o.Attacks {
		total := s.payments(a)
		fmt.Fprintf(stderr, "== %s: %s\n", a, attacks[a].what)
		row, err := s.tryWith(ctx, a, &total)
		if err != nil {
			return r, fmt.Errorf("%w (attack %s)", err, a)
		}
		r.Rows = append(r.Rows, row)
		fmt.Fprintf(stderr, "%s\n", row.short())
	}
	return r, nil
}

// payments is how many the authority may settle in a row. Overload goes to its limit, whatever the rate of others is.
func (s *siege) payments(a Attack) int {
	p := plan{window: s.loadTime(), phase: Payments}
	if s.open() && a != AttackOverload {
		return s.expected(p.loadSeconds())
	}
	n := s.paymentsFor(s.work, p)
	cpus := len(perf.AllowedCPUs())
	return max(1, n*min(cpus, s.NumShards)/cpus)
}

// tryWith is try, again with more payments when they run out.
func (s *siege) tryWith(ctx context.Context, a Attack, total *int) (*AttackRow, error) {
	for attempt := 1; ; attempt++ {
		if s.made == nil || s.made.total < *total {
			s.made = nil
			made, err := s.prepare(ctx, s.work, *total, s.stderr)
			if err != nil {
				return nil, err
			}
			s.made = made
		}
		row, err := s.try(ctx, a)
		more := min(2**total, maxPrepared(len(s.work.voters)))
		if !errors.Is(err, errExhausted) || attempt == maxAttempts || more <= *total {
			return row, err
		}
		fmt.Fprintf(s.stderr, "The authority is faster than estimated: once more, with %s payments\n", grouped(more))
		*total = more
	}
}
