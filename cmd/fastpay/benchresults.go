package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchResultsCommand is "bench results": RESULTS.md from the results of runs.
func newBenchResultsCommand() *cobra.Command {
	var file, transfersFile string
	cmd := &cobra.Command{
		Use:   "results FILE.json...",
		Short: "Write RESULTS.md from the JSON results of runs",
		Long: `Renders results, as --json wrote them, as a Markdown report beside the paper's figures. In a file that is there already
only the part between the two marker comments is replaced.`,
		Example: `  fastpay bench results results/tcp-4.json results/tcp-10.json --output RESULTS.md`,
		Args:    atLeastOneResult,
		RunE: func(cmd *cobra.Command, args []string) error {
			var results []*bench.Result
			for _, name := range args {
				r, err := bench.ReadResult(name)
				if err != nil {
					return err
				}
				results = append(results, r)
			}
			var transfers *bench.TransferLatency
			if transfersFile != "" {
				var err error
				if transfers, err = bench.ReadTransferLatency(transfersFile); err != nil {
					return err
				}
			}
			if err := bench.UpdateReport(file, results, transfers); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.ErrOrStderr(), "Wrote %s\n", file)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "RESULTS.md", "`FILE` to write")
	cmd.Flags().StringVar(&transfersFile, "transfers", "", "`FILE` with the result of 'bench transfers'")
	return cmd
}

func atLeastOneResult(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("a file with a result is missing")
	}
	return nil
}
