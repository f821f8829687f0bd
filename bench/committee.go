package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/crypto"
	"fastpay/perf"
)

// Topology is what is measured.
type Topology uint8

const (
	// OneAuthority is one authority of a committee, with certificates made beforehand: the paper's way.
	OneAuthority Topology = iota
	// WholeCommittee is all authorities: certificates are made of their votes.
	WholeCommittee

	numTopologies
)

var topologyNames = [numTopologies]string{"authority", "committee"}

// TopologyNames lists the names that ParseTopology takes.
func TopologyNames() []string { return topologyNames[:] }

// ParseTopology finds a topology by its name.
func ParseTopology(name string) (Topology, error) {
	if i := slices.Index(TopologyNames(), name); i >= 0 {
		return Topology(i), nil
	}
	return 0, fmt.Errorf("bench: no topology is called %q, there are authority and committee", name)
}

func (t Topology) String() string { return topologyNames[t%numTopologies] }

// MaxWholeCommittee bounds the authorities that run at once.
const MaxWholeCommittee = 64

// CommitteeRun is what a run of a whole committee has beside what all runs have. Latencies of the result are those to a
// quorum: of orders, until there is a certificate of votes that verified; of confirmations, until a quorum has settled it.
type CommitteeRun struct {
	Authorities    int            `json:"authorities"`
	Quorum         int            `json:"quorum"`
	Generators     int            `json:"generators"`
	Faults         []string       `json:"faults"`
	SettledAllUs   Percentiles    `json:"settled_all_us"` // until all authorities have settled it
	SettledAll     int            `json:"settled_all"`    // payments of the window of which that was seen
	Members        []MemberReport `json:"members"`
	Events         []FaultEvent   `json:"events"`
	Dips           []Dip          `json:"dips"`
	PaidTwiceStuck int            `json:"paid_twice_stuck"` // payments whose payer signed two orders, and got no quorum
	Violations     []string       `json:"violations"`       // of safety
	CreditsSeconds float64        `json:"credits_seconds"`  // after the last payment: until all balances were right everywhere

	// Credits in another shard than the debit, of which one of CreditsOneOf is watched by info requests beside the load. In the
	// payer's shard a credit comes with the debit. Times have the answer that shows the credit in them.
	CreditsOneOf   int         `json:"credits_one_of"`
	CreditsWatched int         `json:"credits_watched"` // that a quorum showed in the window
	CreditsUnseen  int         `json:"credits_unseen"`  // over the whole run: not shown by a quorum within the time-out
	CreditedUs     Percentiles `json:"credited_us"`     // from when a payment was due until a quorum showed it
	CreditedAllUs  Percentiles `json:"credited_all_us"` // ... all authorities did
	CreditLagUs    Percentiles `json:"credit_lag_us"`   // at one authority, from its confirmation of the debit
}

// toldUnsafe is how many violations the text has.
const toldUnsafe = 3

// MemberReport is what one authority did.
type MemberReport struct {
	Authority int    `json:"authority"`
	Fault     string `json:"fault"`
	tally
	Settled bool `json:"settled"` // it has settled all payments in the end
	Audited bool `json:"audited"` // ... and its balances were compared with those of the others
}

// FlagUnsafe is a committee that told two things that can't both be true.
const FlagUnsafe = "safety-violated"

// committeeRun is one run of a whole committee.
type committeeRun struct {
	*measured
	orders  *orders
	of      []*Fault // by member
	sound   uint64   // members that must have settled everything in the end
	cluster *cluster
	report  CommitteeRun

	settledEnd time.Time // when the last payment was
	everyone   *hdrhistogram.Histogram
	tallies    []tally
	stuck      int
	unsafe     []string
}

// doublingPayers is: of so many payers one pays twice, when authorities equivocate.
const doublingPayers = 50

// runCommittee prepares, measures and audits a whole committee.
func (o *Options) runCommittee(ctx context.Context, stderr io.Writer) (*Result, error) {
	of, err := cast(o.Faults, o.CommitteeSize)
	if err != nil {
		return nil, err
	}
	environment := perf.NewEnvironment(crypto.Backend())
	w := newWorkload(o.Seed, o.CommitteeSize)
	plan := o.plan()
	total := plan.warmUpPayments + plan.payments
	switch {
	case plan.payments > 0:
	case o.open():
		total = o.expected(plan.loadSeconds())
	default:
		total = o.paymentsFor(w, plan)/o.CommitteeSize + 2*o.MaxInFlight
	}
	w.expand(o.NumAccounts, 0)
	w.mixed(o.Mix, o.NumShards)
	for attempt := 1; ; attempt++ {
		made, err := o.ordersOfOne(ctx, w, total, stderr)
		if err != nil {
			return nil, err
		}
		r := &committeeRun{measured: &measured{Options: *o, meter: newMeter(Payments), environ: environment}, orders: made, of: of}
		r.made = &prepared{workload: w, total: total, elapsed: made.elapsed, lanes: newLanes(w, o.NumShards, 1, 0, ordersOnly)}
		r.placement = placement{workers: min(o.NumShards, len(perf.AllowedCPUs())), generator: -1}
		if o.Workers > 0 {
			r.workers = o.Workers
		}
		_, _, r.sound = forgiven(of)
		res, err := r.run(ctx, plan, stderr)
		more := o.onceMore(res, err, attempt, plan, total)
		if more == 0 {
			return res, err
		}
		fmt.Fprintf(stderr, "The committee is faster than estimated: once more, with %s payments\n", grouped(more))
		total = more
	}
}

// ordersOfOne prepares the payments, unless there are several generators that do so themselves.
func (o *Options) ordersOfOne(ctx context.Context, w *workload, total int, stderr io.Writer) (*orders, error) {
	if o.Generators > 1 {
		return &orders{workload: w}, ctx.Err()
	}
	p := newProgress(stderr, "Preparing payments", total)
	made, err := prepareOrders(ctx, w, 0, o.NumAccounts, total, p)
	p.finish()
	if err == nil {
		fmt.Fprintf(stderr, "Prepared %s payments in %.1f s\n", grouped(total), made.elapsed.Seconds())
	}
	return made, err
}

func (r *committeeRun) run(ctx context.Context, p plan, stderr io.Writer) (res *Result, err error) {
	fmt.Fprintf(stderr, "Starting %d authorities\n", r.CommitteeSize)
	dataDir, remove, err := r.makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	if r.cluster, err = startCluster(&r.Options, r.made.workload, r.of, dataDir, stderr); err != nil {
		return nil, r.sameSeed(err)
	}
	defer func() { err = errors.Join(err, r.cluster.stop()) }()
	r.started = r.cluster.took
	fmt.Fprintf(stderr, "Measuring %s\n", p)
	r.everyone, r.tallies = hdrhistogram.New(1, latencyMaxUs, latencyDigits), make([]tally, r.CommitteeSize)
	if r.Generators > 1 {
		err = r.driveGenerators(ctx, stderr)
	} else {
		r.meter.live = newLive(stderr, units[Payments], r.Live)
		err = onThread(func() error { return r.drive(ctx, p) })
		r.meter.live.end()
	}
	if err != nil {
		return nil, err
	}
	return r.conclude(), nil
}

// drive runs the load with its faults, and lets all that can settle what they missed.
func (r *committeeRun) drive(ctx context.Context, p plan) (err error) {
	promptTimers()
	d, err := newPayersWith(&r.Options, r.orders, r.cluster.bases(), r.of, r.meter)
	if err != nil {
		return err
	}
	suffering, over := context.WithCancel(context.WithoutCancel(ctx))
	var mishaps sync.WaitGroup
	var failed error
	var steal perf.Steal
	h := hooks{
		begin: func() (err error) {
			steal = perf.NewSteal()
			r.before, err = r.cluster.begin()
			mishaps.Go(func() { failed = r.cluster.suffer(suffering, r.of) })
			return err
		},
		end: func() (err error) {
			over()
			mishaps.Wait()
			r.after, err = r.cluster.end()
			r.stolen = perf.NewSteal().PercentSince(steal)
			return errors.Join(err, failed)
		},
	}
	r.stopped, err = drive(ctx, d, r.meter, p, h)
	over()
	mishaps.Wait()
	r.settledEnd = time.Now()
	var settled uint64
	if err == nil {
		settled, err = d.settle(context.WithoutCancel(ctx), r.sound)
	}
	r.tallies, r.stuck, r.unsafe, r.everyone = d.tallies, d.stuck, d.unsafe, d.everyone
	if err == nil {
		err = r.audit(settled)
	}
	return errors.Join(err, d.close())
}

// newPayersWith are payers who know what faults there are, by member.
func newPayersWith(o *Options, made *orders, bases []int, of []*Fault, m *meter) (*payers, error) {
	keys, err := keysOf(made.workload)
	if err != nil {
		return nil, err
	}
	d, err := newPayers(o, made, keys, bases, m)
	if err != nil {
		return nil, err
	}
	d.faulty, d.liars, _ = forgiven(of)
	if d.liars != 0 {
		d.doubling = doublingPayers
	}
	return d, nil
}

// audit compares the balances of all sound authorities, which must have settled everything.
func (r *committeeRun) audit(settled uint64) error {
	var first books
	r.balanced = true
	for member := range r.CommitteeSize {
		report := MemberReport{Authority: member, tally: r.tallies[member], Settled: settled&bit(member) != 0}
		if r.of[member] != nil {
			report.Fault = r.of[member].String()
		}
		if report.Settled {
			b, err := r.auditMember(member)
			if report.Audited = err == nil; err != nil {
				r.audited = errors.Join(r.audited, fmt.Errorf("authority %d: %w", member, err))
			} else if first.digest == 0 {
				first = b
			} else if b.digest != first.digest {
				r.unsafe = append(r.unsafe, fmt.Sprintf("authority %d has other balances than those before it", member))
			}
		} else if r.sound&bit(member) != 0 {
			r.audited = errors.Join(r.audited, fmt.Errorf("bench: authority %d has not settled all payments", member))
		}
		r.report.Members = append(r.report.Members, report)
	}
	r.books = first
	r.report.CreditsSeconds = time.Since(r.settledEnd).Seconds()
	return nil
}

// auditMember reads the books of one authority until all credits have arrived.
func (r *committeeRun) auditMember(member int) (books, error) {
	read := func() (books, error) {
		return readBooks(r.Host, r.cluster.specs[member].Port, r.made.lanes, r.made.workload, r.RecvTimeout)
	}
	conserved, b, err := audit(read, mintedBy(len(r.made.accounts), initialBalance), time.Now())
	r.balanced = r.balanced && conserved
	return b, err
}

// conclude makes the result.
func (r *committeeRun) conclude() *Result {
	c := &r.report
	c.Authorities, c.Quorum, c.Generators = r.CommitteeSize, quorum(r.CommitteeSize), r.Generators
	c.Faults, c.Violations, c.Events = []string{}, append([]string{}, r.unsafe...), append([]FaultEvent{}, r.cluster.events...)
	for _, f := range r.Faults {
		c.Faults = append(c.Faults, f.String())
	}
	c.SettledAllUs, c.SettledAll = percentiles(r.everyone), int(r.everyone.TotalCount())
	c.PaidTwiceStuck = r.stuck
	if m := r.meter; m.credited != nil {
		c.CreditsOneOf, c.CreditsWatched, c.CreditsUnseen = watchOneOf, int(m.credited.TotalCount()), m.unseen
		c.CreditedUs, c.CreditedAllUs, c.CreditLagUs = percentiles(m.credited), percentiles(m.creditedAll), percentiles(m.creditLag)
	}
	series, step := r.meter.dipSeries()
	c.Dips = append([]Dip{}, dips(series, step, c.Events)...)
	r.whole = c
	return r.result()
}
