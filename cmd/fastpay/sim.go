package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"fastpay/node/sim"
)

// simOptions are those of "sim".
type simOptions struct {
	world   sim.Options
	seeds   uint64
	faults  string
	workers int
	small   bool
}

const (
	// simShrinkWorlds and simStoryLines bound what is shown of a failure.
	simShrinkWorlds = 2000
	simStoryLines   = 40
	simProgress     = 5 * time.Second
)

// newSimCommand is "sim": committees under a seed.
func newSimCommand() *cobra.Command {
	o := simOptions{seeds: 100, faults: "all", workers: runtime.GOMAXPROCS(0),
		world: sim.Options{Payments: sim.DefaultPayments}}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Try the protocol in simulated worlds with faults and adversaries",
		Long: `Makes simulated worlds, one for each seed: a committee with its clients, its network and its disks, in which
messages are lost and reordered, processes crash, members and owners cheat, as the seed draws. The code of authorities, clients
and journals is the real one. Every step is checked; at the end everybody correct must get on, and all correct
authorities must agree. The same seed gives the same world.

A violation is shrunk to a smaller world, told with its last steps and the command that repeats it: exit code 1. So is a
kind of fault that never occurred, in 200 worlds or more with payments enough that it should have.

Kinds of faults: ` + strings.Join(sim.FaultNames(), ", ") + `.`,
		Example: `  fastpay sim --seeds 2000
  fastpay sim --seeds 500 --committee-size 7 --faults byzantine,twins,collusion --payments 100
  fastpay sim --small-world`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.world.Faults, err = sim.ParseFaults(o.faults); err != nil {
				return usagef("--faults: %s", strings.TrimPrefix(err.Error(), "sim: "))
			}
			switch n := o.world.Members; {
			case n != 0 && (n < 4 || n > 31):
				return usagef("--committee-size %d: expected 4 to 31", n)
			case o.world.Payments < 1:
				return usagef("--payments %d: expected 1 or more", o.world.Payments)
			case o.world.Payers < 0 || o.world.Payers == 1 || o.world.Payers > 50:
				return usagef("--payers %d: expected 2 to 50", o.world.Payers)
			case o.workers < 1:
				return usagef("--workers %d: expected 1 or more", o.workers)
			}
			if o.small {
				return runSmallWorld(cmd.OutOrStdout())
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.seeds, "seeds", o.seeds, "`N`umber of worlds")
	flags.Uint64Var(&o.world.Seed, "from", 0, "first `SEED`")
	flags.IntVar(&o.world.Payments, "payments", o.world.Payments, "`N`umber of payments in each")
	flags.IntVar(&o.world.Members, "committee-size", 0, "`N`umber of authorities (default: drawn)")
	flags.IntVar(&o.world.Payers, "payers", 0, "`N`umber of correct owners (default: drawn)")
	flags.StringVar(&o.faults, "faults", o.faults, "`LIST` of the kinds of faults that may occur; all, none")
	flags.BoolVar(&o.world.Real, "real-signatures", false, "Ed25519 instead of cheap signatures")
	flags.IntVar(&o.workers, "workers", o.workers, "worlds at a time")
	flags.BoolVar(&o.small, "small-world", false, "explore the small world whole, instead")
	return cmd
}

// simTotal is what all worlds together had.
type simTotal struct {
	mu        sync.Mutex
	worlds    uint64
	steps     uint64
	exercised sim.Exercised
	failed    *sim.Result
	traces    uint64 // all traces, summed up, whatever the order
}

func (t *simTotal) add(r *sim.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.worlds++
	t.steps += r.Steps
	t.exercised.Add(&r.Exercised)
	var trace uint64
	fmt.Sscanf(r.Trace[:16], "%x", &trace)
	t.traces += trace
	if r.Violation != nil && (t.failed == nil || r.Options.Seed < t.failed.Options.Seed) {
		t.failed = r
	}
}

// run makes the worlds, several at a time, until one fails or ctx ends.
func (o *simOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	start := time.Now()
	defer sim.CollectSeldom()()
	var (
		total   simTotal
		next    atomic.Uint64
		workers sync.WaitGroup
		ended   = make(chan struct{})
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range o.workers {
		workers.Go(func() {
			for n := next.Add(1) - 1; n < o.seeds && ctx.Err() == nil; n = next.Add(1) - 1 {
				w := o.world
				w.Seed += n
				r := sim.Try(w)
				if total.add(&r); r.Violation != nil {
					stop()
				}
			}
		})
	}
	go func() { workers.Wait(); close(ended) }()
	for ticker := time.NewTicker(simProgress); ; {
		select {
		case <-ticker.C:
			total.mu.Lock()
			fmt.Fprintf(stderr, "%d of %d worlds, %d payments\n", total.worlds, o.seeds, total.exercised.Payments)
			total.mu.Unlock()
			continue
		case <-ended:
			ticker.Stop()
		}
		break
	}
	seconds := time.Since(start).Seconds()
	fmt.Fprintf(stderr, "%.1f s, %.0f payments/s\n", seconds, float64(total.exercised.Payments)/seconds)
	return o.report(&total, stdout)
}

// report prints what was exercised, and is the verdict.
func (o *simOptions) report(t *simTotal, out io.Writer) error {
	fmt.Fprint(out, t.exercised.String())
	fmt.Fprintf(out, "%d worlds from seed %d, %d steps, trace %016x\n", t.worlds, o.world.Seed, t.steps, t.traces)
	if t.failed != nil {
		return o.reportFailure(t.failed, out)
	}
	if t.worlds < o.seeds {
		return fmt.Errorf("%d of %d worlds: %w", t.worlds, o.seeds, context.Canceled)
	}
	if missing := t.exercised.Missing(o.world.Faults, t.worlds); len(missing) > 0 {
		return fmt.Errorf("never occurred: %s", strings.Join(missing, "; "))
	}
	fmt.Fprintln(out, "no violations")
	return nil
}

func (o *simOptions) reportFailure(failed *sim.Result, out io.Writer) error {
	fmt.Fprintf(out, "\nseed %d: %v\nrepeat: %s\n", failed.Options.Seed, failed.Violation, failed.Options.Command())
	small, tried := sim.Shrink(*failed, simShrinkWorlds)
	if small.Options == failed.Options {
		fmt.Fprintf(out, "\nno smaller world of %d that were tried violates %s\n", tried, failed.Violation.Property)
	} else {
		fmt.Fprintf(out, "\nsmaller, after %d worlds: %v\nrepeat: %s\n", tried, small.Violation, small.Options.Command())
	}
	for _, line := range sim.Story(small.Options, simStoryLines) {
		fmt.Fprintln(out, "  "+line)
	}
	return withHint(fmt.Errorf("%s is violated", small.Violation.Property), small.Options.Command())
}

func runSmallWorld(out io.Writer) error {
	r := sim.ExploreSmallWorld()
	fmt.Fprintf(out, "one process: %d states, %d steps\n", r.LocalStates, r.LocalSteps)
	fmt.Fprintf(out, "all processes: %d states, %d steps, %d with a certificate, %d blocked for good\n", r.GlobalStates,
		r.GlobalSteps, r.Certified, r.Blocked)
	if r.Violation != nil {
		return r.Violation
	}
	fmt.Fprintln(out, "no violations")
	return nil
}
