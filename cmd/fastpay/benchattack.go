package main

import (
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchAttackCommand is "bench attack": what is left for honest payers while others attack.
func newBenchAttackCommand() *cobra.Command {
	o := bench.DefaultAttackOptions()
	var list, file string
	cmd := &cobra.Command{
		Use:   "attack",
		Short: "Attack an authority of its own, and measure what is left for honest payers",
		Long: `Runs one authority as 'bench' does, on loopback, and honest payers over TCP whose replies are all verified. Beside them a process
of attackers does its worst: idle and slow connections, connections that come and go, answers that nobody reads, frames that
never end, garbage, bad signatures, floods of datagrams and forged sources (these need CAP_NET_RAW). Overload is three times
as many honest payments as can be answered, then half as many.

Turns without and with the attack alternate, and the ratio of their median rates is told, with the authority's peak memory.
Nobody can be attacked but the authority that this command starts.

Exit codes: 0 all is good, 5 money appeared or vanished, 7 less is left than must be (90 % under idle and slow connections,
80 % under overload), payments were rejected or lost, or memory grew beyond its bounds; others as of 'bench'.`,
		Example: `  # all attacks: five minutes
  fastpay bench attack --json attacks.json
  fastpay bench results --attacks attacks.json

  # 10,000 slow connections for ten minutes, beside 2,000 payments a second
  fastpay bench attack --attacks slow --hostile 10000 --rate 2000 --pairs 2 --turn 5m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Attacks, err = bench.ParseAttacks(list); err != nil {
				return usagef("--attacks: %s", err)
			}
			o.Command = append([]string{"fastpay", "bench", "attack"}, givenFlags(cmd)...)
			if err := o.Check(); err != nil {
				return usagef("%s", err)
			}
			r, err := bench.RunAttacks(cmd.Context(), o, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := r.WriteText(cmd.OutOrStdout()); err != nil {
				return err
			}
			if file != "" {
				if err := r.WriteFile(file); err != nil {
					return err
				}
			}
			return r.Err()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&list, "attacks", "all", "`LIST` of "+strings.Join(bench.AttackNames(), ", ")+", or all")
	flags.IntVar(&o.Hostile, "hostile", o.Hostile, "`N` connections of attackers, where the attack is connections")
	flags.IntVar(&o.Pairs, "pairs", o.Pairs, "`N` times without and with the attack")
	flags.DurationVar(&o.Turn, "turn", o.Turn, "`TIME` that is measured, each")
	flags.Float64Var(&o.Rate, "rate", o.Rate, "honest payments a second, `N` (default as many as are answered)")
	flags.IntVar(&o.CommitteeSize, "committee-size", o.CommitteeSize, "`N`umber of authorities; one runs")
	flags.IntVar(&o.NumShards, "num-shards", o.NumShards, "`N`umber of shards of the authority")
	flags.IntVar(&o.NumAccounts, "num-accounts", o.NumAccounts, "`N`umber of accounts")
	flags.IntVar(&o.MaxInFlight, "max-in-flight", o.MaxInFlight, "honest payments (`N`) that are begun and not confirmed")
	flags.StringVar(&o.Durability, "durability", o.Durability, "what the authority has on disk before a reply leaves: `MODE` none, sync, async")
	flags.StringVar(&o.DataDir, "data-dir", "", "`DIR` for the journal, in a folder that is removed afterwards (default the user's cache folder)")
	flags.StringVar(&o.Retain, "retain", "all", "what the authority keeps of its journal: `all, none or a SIZE` such as 1GiB")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "`N`umber that all keys follow from")
	flags.StringVar(&file, "json", "", "also write the result to `FILE`, as JSON")
	return cmd
}

// newBenchAttackerCommand is how 'bench attack' starts the attackers: not for people.
func newBenchAttackerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    bench.AttackerCommand[1],
		Short:  "Attack the authority of 'bench attack', driven through standard input",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.ServeAttacker(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
