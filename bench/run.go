package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf"
)

// Warm-up: by time, or a share of the payments that are measured, within bounds.
const (
	warmUp            = 2 * time.Second // at most, and
	warmUpOfWindow    = 3               // one in so many parts of the window
	warmUpShare       = 10              // one in so many payments
	warmUpMaxPayments = 50_000
)

// Run prepares, measures and audits. Canceling ctx ends the measurement early, with a result that says so; during the
// preparation it ends in ctx's error. Progress and the authority's complaints go to stderr. Whether a result is good is
// told by its Err.
func Run(ctx context.Context, o Options, stderr io.Writer) (*Result, error) {
	return new(runner).run(ctx, o, stderr)
}

// runner makes runs one after the other. Payments that were prepared for one serve the next when that needs the same.
type runner struct {
	made    *prepared
	seed    uint64
	members int
	shape   shape
	least   int // payments that are prepared at least, for later runs
	ring    *keyRing
}

// enough is the part of an estimate that payments which are there already must reach; an exact number must be there whole.
const enough = 0.9

// keep returns what was made for a run that needs the same, or nil and forgets it.
func (r *runner) keep(o *Options, total int) *prepared {
	if r.made != nil && r.seed == o.Seed && r.members == o.CommitteeSize && r.shape == o.shape() &&
		(r.made.total >= total || o.Payments == 0 && r.made.total >= int(enough*float64(total))) {
		again := *r.made
		again.cached, again.elapsed = again.total, 0
		return &again
	}
	r.made = nil
	return nil
}

func (o *Options) shape() shape {
	return shape{o.NumAccounts, o.NumShards, o.Connections, o.Phase, o.Mix}
}

func (r *runner) run(ctx context.Context, o Options, stderr io.Writer) (*Result, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	stderr = inTurns(stderr)
	perf.Prepare(o.Profiles)
	if n := o.NumShards * o.Connections; !o.open() && o.MaxInFlight < n {
		o.MaxInFlight = n // each connection has a window of its own
	}
	if err := errors.Join(o.checkDescriptors(), o.checkPorts()); err != nil {
		return nil, err
	}
	if len(o.Profiles) > 0 {
		if err := CheckOutput(filepath.Join(o.ProfileDir, o.Profiles[0])); err != nil {
			return nil, err
		}
	}
	if o.Topology == WholeCommittee {
		return o.runCommittee(ctx, stderr)
	}
	environment := perf.NewEnvironment(crypto.Backend())
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.ring = r.ring
	plan := o.plan()
	total := plan.warmUpPayments + plan.payments
	switch {
	case plan.payments > 0:
	case o.open():
		if total = o.expected(plan.loadSeconds()); total > maxPrepared(len(w.voters)) {
			return nil, fmt.Errorf("bench: %s payments are due in %.1f s, and memory is for %s: a lower rate or fewer seconds",
				grouped(total), plan.loadSeconds(), grouped(maxPrepared(len(w.voters))))
		}
	default:
		total = o.paymentsFor(w, plan)
	}
	total = max(total, min(r.least, maxPrepared(len(w.voters))))
	for attempt := 1; ; attempt++ {
		made := r.keep(&o, total)
		if made == nil {
			var err error
			if made, err = o.prepare(ctx, w, total, stderr); err != nil {
				return nil, err
			}
			r.made, r.seed, r.members, r.shape = made, o.Seed, o.CommitteeSize, o.shape()
		}
		res, err := o.measure(ctx, made, plan, environment, stderr)
		more := o.onceMore(res, err, attempt, plan, total)
		if more == 0 {
			return res, err
		}
		fmt.Fprintf(stderr, "The authority is faster than estimated: once more, with %s payments\n", grouped(more))
		total, r.made = more, nil
	}
}

// maxAttempts bounds how often a run begins again because its payments ran out.
const maxAttempts = 3

// onceMore is how many payments to try with after a run of total of them, 0 when what it returned is to be kept.
func (o *Options) onceMore(r *Result, err error, attempt int, p plan, total int) int {
	if err != nil || attempt == maxAttempts || !slices.Contains(r.Flags, FlagExhausted) {
		return 0
	}
	if more := o.afterExhausted(r, p, total); more > total {
		return more
	}
	return 0
}

// afterExhausted is how many payments to try next, after total ran out: as many as the rate so far calls for, or four times
// as many when even the warm-up did not end.
func (o *Options) afterExhausted(r *Result, p plan, total int) int {
	more := 4 * total
	if r.Seconds >= 1 {
		more = min(more, int(exhaustedMargin*r.RatePerSec*p.loadSeconds()))
	}
	return min(more, maxPrepared(quorum(o.CommitteeSize)))
}

// exhaustedMargin makes up for a rate that was measured in part of a window.
const exhaustedMargin = 1.25

func (o *Options) prepare(ctx context.Context, w *workload, total int, stderr io.Writer) (*prepared, error) {
	store := new(cache)
	if !o.NoCache {
		store = openCache(o.Seed, o.CommitteeSize, o.NumAccounts, o.mixKey())
		store.accountsOnly = signsFast(w)
	}
	p := newProgress(stderr, "Preparing payments", total)
	made, err := prepare(ctx, w, store, o.shape(), total, p)
	p.finish()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stderr, "Prepared %s payments in %.1f s, %s of them from the cache\n", grouped(made.total), made.elapsed.Seconds(),
		grouped(made.cached))
	settle()
	return made, nil
}

func (o *Options) plan() plan {
	if o.Payments > 0 {
		warm := min(max(o.Payments/warmUpShare, o.MaxInFlight), warmUpMaxPayments)
		return plan{warmUpPayments: warm, payments: o.Payments, phase: o.Phase}
	}
	return plan{warmUp: min(warmUp, o.window()/warmUpOfWindow), window: o.window(), phase: o.Phase}
}

func (o *Options) spec(w *workload) authoritySpec {
	members := make([]crypto.PublicKey, len(w.members))
	for i := range members {
		members[i] = w.members[i].Public()
	}
	return authoritySpec{
		Members: members, Seed: w.members[0].Seed(), Protocol: o.Protocol, Host: o.Host, Port: o.Port, NumShards: o.NumShards,
		Workers: o.Workers, Pin: "auto", MaxMessage: o.MaxMessage, Durability: o.Durability, Retain: o.Retain,
		Accounts: len(w.accounts), Balance: initialBalance, Profiles: o.Profiles, ProfileDir: o.ProfileDir,
		Metrics: o.Metrics, Watch: o.Watch,
	}
}

// measured is everything that a result is made of.
type measured struct {
	Options
	placement
	made     *prepared
	meter    *meter
	stopped  error
	before   snapshot
	after    snapshot
	started  time.Duration // how long the authority took to start
	outside  []snapshot    // what was counted while the window was paused
	books    books
	balanced bool
	audited  error
	stolen   float64
	environ  perf.Environment
	whole    *CommitteeRun // of a whole committee; else nil
}

// measure runs the authority, the load and the audit.
func (o *Options) measure(ctx context.Context, made *prepared, p plan, e perf.Environment, stderr io.Writer) (*Result, error) {
	r := &measured{Options: *o, made: made, meter: newMeter(o.Phase), environ: e}
	if slices.Contains(o.Watch, WatchPauses) {
		r.meter.slots = new(latencySlots)
	}
	fmt.Fprintf(stderr, "Measuring %s\n", p)
	r.meter.live = newLive(stderr, units[o.Phase], o.Live)
	defer r.meter.live.end()
	r.placement = place(perf.AllowedCPUs(), o.NumShards, o.Workers)
	spec := o.spec(made.workload)
	spec.Workers, spec.Pin = r.workers, r.pin
	dataDir, remove, err := o.makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	spec.DataDir = dataDir
	a, err := o.start(spec, made.accounts, stderr)
	if err != nil {
		return nil, o.sameSeed(err)
	}
	if !o.Restart {
		return r.against(ctx, a, p)
	}
	r.abrupt = true
	res, err := r.against(ctx, a, p)
	if err != nil || r.audited != nil || ctx.Err() != nil {
		return res, err
	}
	res.Recovery, err = r.recover(spec, stderr)
	return res, err
}

// against drives the load against a, reads its books, and stops it.
func (r *measured) against(ctx context.Context, a authority, p plan) (*Result, error) {
	r.started = a.startedIn()
	if err := r.load(ctx, a, p); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	ended := time.Now()
	read := func() (books, error) {
		if r.Peer != "" && r.Protocol == committee.UDP {
			return readBooksBy(readShardUDP, r.Host, a.basePort(), r.made.lanes, r.made.workload, r.RecvTimeout)
		}
		return readBooks(r.Host, a.basePort(), r.made.lanes, r.made.workload, r.RecvTimeout)
	}
	r.balanced, r.books, r.audited = audit(read, mintedBy(len(r.made.accounts), initialBalance), ended)
	if child, ok := a.(*childAuthority); ok && r.abrupt {
		child.kill()
	} else if err := a.stop(); err != nil && r.audited == nil {
		return nil, err
	}
	res := r.result()
	if slices.Contains(r.Profiles, "cpu") {
		profile, err := readProfile(r.ProfileDir)
		if err == nil {
			res.Budget, err = newBudget(profile, res)
		}
		if err != nil {
			return nil, err
		}
	}
	return res, nil
}

// sameSeed explains why an authority does not start whose key another process has.
func (o *Options) sameSeed(err error) error {
	if strings.Contains(err.Error(), "already runs") {
		return fmt.Errorf("%w: another benchmark with seed %d is under way", err, o.Seed)
	}
	return err
}

func (o *Options) start(spec authoritySpec, accounts []codec.Address, stderr io.Writer) (authority, error) {
	if o.Peer != "" {
		return startPeer(o.Peer, spec, accounts)
	}
	if o.InProcess {
		return startLocal(spec, accounts)
	}
	return startChild(spec, accounts, stderr)
}

// onThread runs f on a thread of its own, which f may change: it ends with f.
func onThread(f func() error) error {
	failure := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and its pinning with it
		failure <- f()
	}()
	return <-failure
}

// load drives the lanes against a, on a thread of its own that may be pinned.
func (r *measured) load(ctx context.Context, a authority, p plan) error {
	return onThread(func() error { return r.drive(ctx, a, p) })
}

func (r *measured) drive(ctx context.Context, a authority, p plan) (err error) {
	if r.generator >= 0 {
		if err := perf.PinThread(r.generator); err != nil {
			return err
		}
	}
	promptTimers()
	d, err := r.dial(a.basePort())
	if err != nil {
		return err
	}
	var steal perf.Steal
	var paused snapshot
	h := hooks{
		pause: func() (err error) { paused, err = a.mark(); return err },
		resume: func() error {
			now, err := a.mark()
			r.outside = append(r.outside, now.since(paused))
			return err
		},
		begin: func() (err error) { steal = perf.NewSteal(); r.before, err = a.begin(); return err },
		end: func() (err error) {
			r.after, err = a.end()
			r.stolen = perf.NewSteal().PercentSince(steal)
			return err
		},
	}
	r.stopped, err = drive(ctx, d, r.meter, p, h)
	return errors.Join(err, d.close())
}
