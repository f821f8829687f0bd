package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fastpay/bench"
	"fastpay/node/committee"
	"fastpay/perf"
)

type benchFlags struct {
	bench.Options
	protocol      string
	phase         string
	arrival       string
	topology      string
	faults        string
	workload      string
	crossShard    float64
	peer          string
	sweep         string
	sweepDir      string
	findMax       bool
	slo           string
	sendTimeoutUs int64
	recvTimeoutUs int64
	queueSize     int
	output        outputFlags
	profile       string
	watch         string
	requireValid  bool
	live          bool
}

// newBenchCommand is "bench": the throughput of one authority.
func newBenchCommand() *cobra.Command {
	f := benchFlags{Options: bench.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the throughput of one authority, or of a committee",
		Long: `Runs one authority of a committee with all its shards, in a process of its own, and sends it payments as fast as it
takes them: for each a transfer order and the certificate that other authorities of the committee made of it. Orders and
certificates are made beforehand from the seed and kept in the user's cache folder. Every reply is verified, and at the
end the balances must add up. Without arguments it runs the configuration of the prototype's bench.

With --topology committee all authorities run, each in a process: an order goes to all of them, the certificate is made of
the first quorum of votes that verify and goes to all, and latencies are to a quorum and to all. The credit of one of 256
payments across shards is watched, by info requests. --faults lets some authorities fail; safety is checked at the end.

The headline is payments per second, from warm-up to the end of the window. A window that was short, unsteady, or limited
by the generator is flagged on the same line. The last line of standard output is in Go's benchmark format, for benchstat.
Each run leaves a line in results/history.ndjson.

Exit codes: 0 measured, 1 failed, 2 wrong usage, 3 nothing measured, or payments rejected or lost, 4 not valid (with
--require-valid), 5 money appeared or vanished, 6 safety violated, 7 worse than --fail-if allows ('bench compare'),
130 interrupted.`,
		Example: `  # two cores: the figures of RESULTS.md
  fastpay bench --protocol tcp --committee-size 4 --num-shards 2 --num-accounts 20000 --json result.json

  # one phase alone, as the paper measured them
  fastpay bench --protocol tcp --phase confirmations

  # open loop: 50,000 payments begin each second; latency counts from when each was due
  fastpay bench --protocol tcp --rate 50000 --arrival poisson

  # a table of latency over rate, and the highest rate whose p99 stays below 20 ms
  fastpay bench --protocol tcp --num-shards 2 --sweep 50000:250000:50000 --seconds 5
  fastpay bench --protocol tcp --num-shards 2 --find-max --slo 'p99<20ms' --seconds 5

  # the 100 most popular accounts get half of the payments; few cross shards, some leave, and payees look at their accounts
  fastpay bench --protocol tcp --workload hot:100,50 --cross-shard 10 --to-primary 1 --info 20

  # a whole committee, one authority of which dies after 5 s, and another lies
  fastpay bench --protocol tcp --topology committee --committee-size 7 --num-shards 1 --faults crash:1@5,equivocate:1

  # the prototype's server, or any other that takes these files, beside ours under the same load
  fastpay bench --protocol udp --peer './prototype --server {server} run --initial-accounts {accounts} --committee {committee}'

  # watch it in the terminal
  fastpay bench --protocol tcp --num-shards 2 --seconds 60 --live

  # exactly 2,000,000 payments, with a CPU profile of the authority
  fastpay bench --protocol tcp --payments 2000000 --profile cpu`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd, &f) },
	}
	f.addTo(cmd)
	cmd.AddCommand(newBenchAuthorityCommand(), newBenchGeneratorCommand(), newBenchKeeperCommand(),
		newBenchTransfersCommand(), newBenchRestartCommand(), newBenchCurveCommand(), newBenchAttackCommand(), newBenchAttackerCommand(),
		newBenchCompareCommand(), newBenchReportCommand(), newBenchProfileCommand(), newBenchTopCommand(),
		newBenchResultsCommand(), newBenchPaperCommand())
	return cmd
}

func (f *benchFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.protocol, "protocol", strings.ToLower(f.Protocol.String()), "`udp or tcp`")
	flags.IntVar(&f.CommitteeSize, "committee-size", f.CommitteeSize, "`N`umber of authorities; one is measured")
	flags.IntVar(&f.NumShards, "num-shards", f.NumShards, "`N`umber of shards of the authority")
	flags.IntVar(&f.NumAccounts, "num-accounts", f.NumAccounts, "`N`umber of accounts; each pays as often as the window needs")
	flags.IntVar(&f.MaxInFlight, "max-in-flight", f.MaxInFlight, "payments (`N`) that are begun and not confirmed, over all shards")
	flags.StringVar(&f.workload, "workload", "ring", "who is paid: `"+bench.PatternGrammar+"`")
	flags.Float64Var(&f.crossShard, "cross-shard", 0, "`PERCENT` of payments whose recipient lives in another shard (default as the workload has it)")
	flags.Float64Var(&f.Mix.ToPrimary, "to-primary", 0, "`PERCENT` of payments that leave FastPay")
	flags.BoolVar(&f.Mix.UserData, "user-data", false, "32 bytes of user data with each payment")
	flags.Float64Var(&f.Info, "info", 0, "`N` info requests for every hundred payments, over connections of their own")
	flags.StringVar(&f.peer, "peer", "", "also run another server that speaks the protocol, and print both side by side: `CMD` with "+
		bench.PeerPlaceholders)
	flags.StringVar(&f.topology, "topology", f.Topology.String(), "measure one `"+strings.Join(bench.TopologyNames(), " or a whole ")+"`")
	flags.IntVar(&f.Generators, "generators", 1, "with --topology committee, `N` processes that make the load")
	flags.StringVar(&f.faults, "faults", "", "with --topology committee, a `LIST` of "+bench.FaultGrammar)
	flags.Float64Var(&f.Rate, "rate", f.Rate, "open loop: `N` payments begin each second, whatever became of those before")
	flags.StringVar(&f.arrival, "arrival", f.Arrival.String(), "with --rate: `"+strings.Join(bench.ArrivalNames(), ", ")+"`")
	flags.StringVar(&f.sweep, "sweep", "", "open loop with each of the rates `FROM:TO:STEP`: one table")
	flags.StringVar(&f.sweepDir, "sweep-dir", "results/sweep", "`FOLDER` for the result of each rate of --sweep")
	flags.BoolVar(&f.findMax, "find-max", false, "search for the highest rate that keeps --slo")
	flags.StringVar(&f.slo, "slo", "", "for --find-max: bounds of latency, as in 'p99<50ms' (p50, p90, p99, p99.9, max); several with commas: `TERMS`")
	flags.Float64Var(&f.Seconds, "seconds", f.Seconds, "length of the measured window in `SECONDS`")
	flags.IntVar(&f.Payments, "payments", f.Payments, "measure exactly `N` payments instead")
	flags.Uint64Var(&f.Seed, "seed", f.Seed, "`N`umber that all keys follow from")
	flags.StringVar(&f.phase, "phase", f.Phase.String(),
		"measure `"+strings.Join(bench.PhaseNames(), ", ")+"`: one phase alone is no payments")
	flags.IntVar(&f.Connections, "connections", f.Connections, "`N`umber of TCP connections to each shard")
	flags.StringVar(&f.Host, "host", f.Host, "`ADDRESS` on this machine that the authority listens on")
	flags.IntVar(&f.Port, "port", f.Port, "port `P` of the first shard (default free ones)")
	flags.IntVar(&f.Workers, "workers", f.Workers, "`N`umber of the authority's event loops (default one a shard, at most one a CPU)")
	flags.StringVar(&f.Durability, "durability", f.Durability,
		"what the authority has on disk before a reply leaves: `MODE` none, sync, async")
	flags.StringVar(&f.DataDir, "data-dir", f.DataDir,
		"`DIR` for the journal, in a folder that is removed afterwards (default the user's cache folder)")
	flags.StringVar(&f.Retain, "retain", "all", "what the authority keeps of its journal: `all, none or a SIZE` such as 1GiB")
	f.output.addTo(cmd)
	flags.BoolVar(&f.InProcess, "in-process", f.InProcess, "run the authority in this process, still behind sockets")
	flags.StringVar(&f.profile, "profile", "",
		"take profiles of the authority in the window: `LIST` of "+strings.Join(perf.ProfileKinds, ","))
	flags.StringVar(&f.ProfileDir, "profile-dir", f.ProfileDir, "`FOLDER` for profiles")
	flags.StringVar(&f.watch, "watch", "", "also look in the window at a `LIST` of "+strings.Join(bench.WatchKinds, ",")+
		": what is left after collecting garbage; replies while snapshots are made, and else")
	flags.BoolVar(&f.Restart, "restart", false,
		"afterwards kill the authority, start it again from its journal, and ask for certificates")
	flags.StringVar(&f.Metrics, "metrics", f.Metrics,
		"let the authority serve /metrics on the loopback `ADDRESS:PORT`, for 'bench top' and Prometheus")
	flags.BoolVar(&f.live, "live", false, "show rates, latencies and what the authority does while it runs, on a terminal")
	flags.BoolVar(&f.requireValid, "require-valid", false, "exit code 4 for a result that is flagged")
	flags.BoolVar(&f.NoCache, "no-cache", f.NoCache, "make all payments anew, and keep none")
	flags.IntVar(&f.MaxMessage, "buffer-size", f.MaxMessage, "largest message in `BYTES`")
	flags.Int64Var(&f.sendTimeoutUs, "send-timeout-us", f.SendTimeout.Microseconds(), "time to connect, in `MICROSECONDS`")
	flags.Int64Var(&f.recvTimeoutUs, "recv-timeout-us", f.RecvTimeout.Microseconds(),
		"a request without reply for so many `MICROSECONDS` is lost")
	flags.IntVar(&f.queueSize, "cross-shard-queue-size", 0, "accepted for the prototype's scripts; queues are bounded in bytes")
}

// resolve makes options of the flags. In the command that repeats the run those in hidden are left out.
func (f *benchFlags) resolve(cmd *cobra.Command, hidden ...string) (err error) {
	if f.Protocol, err = committee.ParseProtocol(f.protocol); err != nil {
		return usagef("--protocol: %s", err)
	}
	if f.Phase, err = bench.ParsePhase(f.phase); err != nil {
		return usagef("--phase: %s", err)
	}
	if f.Arrival, err = bench.ParseArrival(f.arrival); err != nil {
		return usagef("--arrival: %s", err)
	}
	if err := f.Mix.ParsePattern(f.workload); err != nil {
		return usagef("--workload: %s", err)
	}
	f.Mix.HasCrossShard, f.Mix.CrossShard = cmd.Flags().Changed("cross-shard"), f.crossShard
	if f.Topology, err = bench.ParseTopology(f.topology); err != nil {
		return usagef("--topology: %s", err)
	}
	if f.Faults, err = bench.ParseFaults(f.faults); err != nil {
		return usagef("--faults: %s", err)
	}
	if err := f.checkLoop(cmd); err != nil {
		return err
	}
	if f.Metrics != "" {
		if err := loopbackAddress(f.Metrics); err != nil {
			return err
		}
		if f.InProcess {
			return usagef("--metrics is of an authority in a process of its own, and not --in-process")
		}
	}
	if f.Watch, err = bench.ParseWatch(f.watch); err != nil {
		return usagef("--watch: %s", err)
	}
	if f.Profiles, err = perf.ParseProfiles(f.profile); err != nil {
		return usagef("--profile: %s", err)
	}
	if cmd.Flags().Changed("payments") && f.Payments < 1 {
		return usagef("--payments %d: expected at least 1", f.Payments)
	}
	f.SendTimeout = time.Duration(f.sendTimeoutUs) * time.Microsecond
	f.RecvTimeout = time.Duration(f.recvTimeoutUs) * time.Microsecond
	f.Command = append([]string{"fastpay", "bench"}, without(givenFlags(cmd), hidden...)...)
	if err := f.Check(); err != nil {
		return usagef("%s", err)
	}
	return nil
}

func runBench(cmd *cobra.Command, f *benchFlags) error {
	if err := f.resolve(cmd, "csv", "markdown", "history", "no-history", "sweep", "sweep-dir", "find-max", "slo", "peer"); err != nil {
		return err
	}
	if err := f.output.check(cmd.ErrOrStderr()); err != nil {
		return err
	}
	switch {
	case f.live && (f.sweep != "" || f.findMax || f.peer != ""):
		return usagef("--live shows one run")
	case f.sweep != "":
		return runSweep(cmd, f)
	case f.findMax:
		return runFindMax(cmd, f)
	case f.peer != "":
		return runPeer(cmd, f)
	}
	end := func() {}
	if f.live {
		var err error
		if end, err = f.goLive(cmd.Context(), cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	r, err := bench.Run(cmd.Context(), f.Options, cmd.ErrOrStderr())
	end()
	if err != nil {
		return err
	}
	if err := f.show(cmd, r); err != nil {
		return err
	}
	if err := cmd.Context().Err(); err != nil {
		return err // after the partial result
	}
	return r.Err(f.requireValid)
}

// show prints a result, and writes it to all files that were asked for.
func (f *benchFlags) show(cmd *cobra.Command, r *bench.Result) error {
	if err := r.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	return f.output.write(r, cmd.ErrOrStderr())
}

// givenFlags are the flags on the command line, in the form that repeats the run.
func givenFlags(cmd *cobra.Command) (flags []string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		flags = append(flags, "--"+f.Name)
		if f.NoOptDefVal == "" || f.Value.String() != f.NoOptDefVal {
			flags[len(flags)-1] += "=" + f.Value.String()
		}
	})
	return flags
}

// newBenchAuthorityCommand is how bench starts the authority under test: not for people.
func newBenchAuthorityCommand() *cobra.Command {
	return &cobra.Command{
		Use:    bench.AuthorityCommand[1],
		Short:  "Run the authority that bench measures, driven through standard input",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.ServeAuthority(cmd.InOrStdin(), cmd.OutOrStdout(), serveMetrics)
		},
	}
}

// newBenchGeneratorCommand is how bench starts one of several load generators: not for people.
func newBenchGeneratorCommand() *cobra.Command {
	return &cobra.Command{
		Use:    bench.GeneratorCommand[1],
		Short:  "Make a part of the load of a committee, driven through standard input",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.ServeGenerator(cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// newBenchKeeperCommand is how bench cleans up behind a peer when it is killed itself: not for people.
func newBenchKeeperCommand() *cobra.Command {
	return &cobra.Command{
		Use:    bench.KeeperCommand[1],
		Short:  "End the processes that standard input lists, when it ends",
		Hidden: true,
		Args:   noArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return bench.Keep(cmd.InOrStdin()) },
	}
}
