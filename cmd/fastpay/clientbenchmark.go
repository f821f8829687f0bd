package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/node/client"
)

// newClientBenchmarkCommand is "client benchmark": a payment from every account.
func newClientBenchmarkCommand() *cobra.Command {
	var (
		o             client.BenchmarkOptions
		serverConfigs []string
	)
	cmd := &cobra.Command{
		Use:   "benchmark",
		Short: "Pay from every account at once, and print the rates",
		Long: `Pays 1 from every account of the accounts file to the next one: all transfer orders first, then all confirmation
orders, each to all authorities. Prints the rate of each phase and how many confirmations were valid.

The rates are those of the client too, which signs nothing meanwhile but checks all that comes back. The throughput of
an authority is measured by 'bench'.

An interrupted benchmark saves what is certain, and is finished by the next one.`,
		Example: `  client --committee committee.json --accounts accounts.json benchmark --max-in-flight 200

  # certificates made with the authorities' keys instead of the votes that came back
  client --committee committee.json --accounts accounts.json benchmark --server-configs server1.json server2.json server3.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.MaxInFlight < 1 || o.MaxOrders < 0 {
				return usagef("--max-in-flight is 1 or more, and --max-orders not negative")
			}
			for _, path := range serverConfigs {
				server, err := readServerFile(path)
				if err != nil {
					return err
				}
				o.ServerKeys = append(o.ServerKeys, server.Key)
			}
			return clientBenchmark(cmd, o)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.MaxInFlight, "max-in-flight", client.DefaultMaxInFlight, "`N`umber of requests that an authority gets at a time")
	flags.IntVar(&o.MaxOrders, "max-orders", 0, "at most `N` accounts pay (default all)")
	flags.StringArrayVar(&serverConfigs, "server-configs", nil, "server `FILES` of a quorum: make certificates with their keys")
	return cmd
}

func clientBenchmark(cmd *cobra.Command, o client.BenchmarkOptions) error {
	s, err := openSession(cmd, false)
	if err != nil {
		return err
	}
	defer s.close()
	o.Report = func(level slog.Level, line string) {
		if isResult(line) {
			fmt.Fprintln(cmd.OutOrStdout(), line)
		} else {
			s.log.Log(context.Background(), level, line)
		}
	}
	result, err := s.Benchmark(cmd.Context(), o)
	s.log.Info("Benchmark ended", "transfers", max(result.Orders.Orders, result.Confirmations.Orders), "settled", result.Settled,
		"skipped", result.Skipped, "retransmitted", result.Retransmitted)
	return err
}

// isResult tells the lines that scripts take from stdout from those of the log.
func isResult(line string) bool {
	return strings.HasPrefix(line, "Estimated server throughput: ") ||
		strings.HasPrefix(line, "Received ") && strings.Contains(line, " valid confirmations for ")
}
