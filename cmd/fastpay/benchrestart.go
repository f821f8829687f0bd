package main

import (
	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchRestartCommand is "bench restart": how long a start from a snapshot takes.
func newBenchRestartCommand() *cobra.Command {
	o := bench.RestartOptions{Accounts: 1_000_000, NumShards: 2}
	file := ""
	cmd := &cobra.Command{
		Use:   "restart",
		Short: "Measure the start of an authority from a snapshot",
		Long: `Runs 'server run' with many initial accounts, which writes its first snapshot, stops it, has the kernel forget its files, and
measures how long the next start takes, from the start of the process to the first reply on every port.`,
		Example: "  fastpay bench restart --num-accounts 10000000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Command = append([]string{"fastpay", "bench", "restart"}, givenFlags(cmd)...)
			r, err := bench.RunRestart(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := r.WriteText(cmd.OutOrStdout()); err != nil || file == "" {
				return err
			}
			return r.WriteFile(file)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Accounts, "num-accounts", o.Accounts, "`N`umber of accounts")
	flags.IntVar(&o.NumShards, "num-shards", o.NumShards, "`N`umber of shards")
	flags.StringVar(&o.DataDir, "data-dir", "", "where the journal is made for the run: a `FOLDER` (default in the user's cache)")
	flags.StringVar(&file, "json", "", "also write the result to `FILE`, as JSON")
	return cmd
}
