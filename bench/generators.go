package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fastpay/perf"
)

// maxGenerators bounds the load generators of a run.
const maxGenerators = 64

// generatorProcess is the parent's end of one.
type generatorProcess struct{ *self }

// startGenerator starts a generator, and returns before it is ready.
func startGenerator(spec *generatorSpec, stderr io.Writer) (*generatorProcess, error) {
	self, err := startSelf("a generator's process", GeneratorCommand, stderr)
	if err != nil {
		return nil, err
	}
	g := &generatorProcess{self}
	if err := g.tell(spec); err != nil {
		return nil, errors.Join(err, g.stop())
	}
	return g, nil
}

// await reads the answer that says did.
func (g *generatorProcess) await(did string) (*loadReport, error) {
	var r generatorReply
	if err := g.answer(&r, &r.Error); err != nil {
		return nil, err
	}
	if r.Did != did {
		return nil, fmt.Errorf("bench: a generator %s, expected that it %s", r.Did, did)
	}
	return r.Report, nil
}

// stop ends it; one that does not end with its input is killed.
func (g *generatorProcess) stop() error { return g.end(stopTimeout) }

// generators are all of a run.
type generators []*generatorProcess

// each does something with all of them at the same time.
func (all generators) each(f func(g *generatorProcess) error) error {
	errs := make([]error, len(all))
	var work sync.WaitGroup
	for i, g := range all {
		work.Go(func() { errs[i] = f(g) })
	}
	work.Wait()
	return errors.Join(errs...)
}

func (all generators) await(did string) error {
	return all.each(func(g *generatorProcess) error { _, err := g.await(did); return err })
}

func (all generators) command(name string) error {
	return all.each(func(g *generatorProcess) error { return g.command(name) })
}

// specs splits the load among the generators: accounts, payments, window and rate.
func (r *committeeRun) specs() []*generatorSpec {
	n := r.Generators
	specs := make([]*generatorSpec, n)
	from := 0
	for i := range specs {
		o := r.Options
		o.MaxInFlight, o.Rate = share(o.MaxInFlight, n, i), o.Rate/float64(n)
		if o.Payments > 0 {
			o.Payments = share(o.Payments, n, i)
		}
		to := from + share(o.NumAccounts, n, i)
		specs[i] = &generatorSpec{Options: o, Index: i, From: from, To: to, Total: share(r.made.total, n, i) + o.MaxInFlight,
			Bases: r.cluster.bases()}
		from = to
	}
	return specs
}

// driveGenerators is drive with several generators, each a process.
func (r *committeeRun) driveGenerators(ctx context.Context, stderr io.Writer) (err error) {
	var all generators
	defer func() {
		err = errors.Join(err, all.each((*generatorProcess).stop))
	}()
	for _, spec := range r.specs() {
		g, err := startGenerator(spec, stderr)
		if err != nil {
			return err
		}
		all = append(all, g)
	}
	if err := all.await(didReady); err != nil {
		return err
	}
	if err := all.command(generateStart); err != nil {
		return err
	}
	interrupted := context.AfterFunc(ctx, func() { _ = all.command(generateInterrupt) })
	defer interrupted()
	if err := all.await(didBegin); err != nil {
		return err
	}
	steal := perf.NewSteal()
	if r.before, err = r.cluster.begin(); err != nil {
		return err
	}
	suffering, over := context.WithCancel(context.WithoutCancel(ctx))
	var mishaps sync.WaitGroup
	var failed error
	mishaps.Go(func() { failed = r.cluster.suffer(suffering, r.of) })
	err = all.await(didEnd)
	over()
	mishaps.Wait()
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if r.after, err = r.cluster.end(); err != nil {
		return err
	}
	r.stolen = perf.NewSteal().PercentSince(steal)
	if ctx.Err() != nil {
		r.stopped = ctx.Err()
	}
	return r.collect(all)
}

// collect takes the generators' reports, and audits.
func (r *committeeRun) collect(all generators) error {
	if err := all.command(generateSettle); err != nil {
		return err
	}
	r.settledEnd = time.Now()
	settled := ^uint64(0)
	for _, g := range all {
		report, err := g.await(didReport)
		if err != nil {
			return err
		}
		if err := r.meter.add(report, r.everyone); err != nil {
			return err
		}
		for i := range r.tallies {
			r.tallies[i].add(&report.Tallies[i])
		}
		r.stuck += report.Stuck
		r.unsafe = append(r.unsafe, report.Unsafe...)
		settled &= report.Settled
		if report.Stopped != "" && r.stopped == nil {
			r.stopped = errors.New(report.Stopped)
			if report.Stopped == errExhausted.Error() {
				r.stopped = errExhausted
			}
		}
	}
	return r.audit(settled)
}

func (t *tally) add(other *tally) {
	t.Votes += other.Votes
	t.BadVotes += other.BadVotes
	t.TwoVotes += other.TwoVotes
	t.Confirmations += other.Confirmations
	t.Refused += other.Refused
	t.Behind += other.Behind
	t.Replayed += other.Replayed
	t.Breaks += other.Breaks
	t.Left += other.Left
}
