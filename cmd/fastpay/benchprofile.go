package main

import (
	"github.com/spf13/cobra"

	"fastpay/bench"
)

// profileSeconds is the default window: enough samples, and five runs are under a minute.
const profileSeconds = 5

// newBenchProfileCommand is "bench profile": where the time of a payment goes.
func newBenchProfileCommand() *cobra.Command {
	f := benchFlags{Options: bench.DefaultOptions()}
	f.Seconds = profileSeconds
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Take all profiles of an authority, and draw flame graphs",
		Long: `Takes profiles of CPU time, allocations, locks, blocked goroutines and a trace of the authority in five successive runs, of which
the first has none: what a profile costs is told. Each covers the window after a warm-up, and nothing before. Draws flame graphs as
SVG, and divides the CPU time of a payment into stages. perf/README.md has a worked example. All other flags are those of
'fastpay bench'.`,
		Example: "  fastpay bench profile --protocol tcp --committee-size 4 --num-shards 2 --num-accounts 20000 --profile-dir results/profile",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.profile = "cpu" // so that what can't be profiled is refused before anything runs
			if err := f.resolve(cmd, append(f.output.names(), "profile-dir")...); err != nil {
				return err
			}
			set, err := bench.RunProfiles(cmd.Context(), f.Options, f.ProfileDir, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return set.WriteText(cmd.OutOrStdout())
		},
	}
	f.addTo(cmd)
	for _, name := range append(f.output.names(), "require-valid", "profile", "in-process") { // of single runs
		if err := cmd.Flags().MarkHidden(name); err != nil {
			panic(err)
		}
	}
	return cmd
}
