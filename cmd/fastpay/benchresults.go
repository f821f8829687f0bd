package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchResultsCommand is "bench results": RESULTS.md from the results of runs.
func newBenchResultsCommand() *cobra.Command {
	var file, transfers, curves, signatures string
	var endurance []string
	cmd := &cobra.Command{
		Use:   "results FILE.json...",
		Short: "Write RESULTS.md from the JSON results of runs",
		Long: `Renders results, as --json wrote them, as a Markdown report beside the paper's figures. Curves, endurance and signatures
are parts of their own. In a file that is there already only what is between the marker comments of a part that is given is replaced.`,
		Example: `  fastpay bench results results/tcp-4.json results/tcp-10.json --output RESULTS.md

  # the part with curves
  fastpay bench results --curves results/curves

  # the part with signatures
  go test -run '^$' -bench '^Benchmark(Vote|Order|Sign|Bad)$' ./crypto > crypto.txt
  fastpay bench results --crypto crypto.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && curves == "" && len(endurance) == 0 && signatures == "" {
				return usagef("a file with a result is missing")
			}
			var report bench.Report
			var err error
			if report.Results, err = readResults(args); err != nil {
				return err
			}
			if report.Endurance, err = readResults(endurance); err != nil {
				return err
			}
			if transfers != "" {
				if report.Transfers, err = bench.ReadTransferLatency(transfers); err != nil {
					return err
				}
			}
			if curves != "" {
				if report.Curves, err = bench.ReadCurves(curves); err != nil {
					return err
				}
			}
			if signatures != "" {
				if report.Crypto, err = bench.ReadSignatureTimes(signatures); err != nil {
					return err
				}
			}
			if err := report.Update(file); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Wrote %s\n", file)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "RESULTS.md", "`FILE` to write")
	cmd.Flags().StringVar(&transfers, "transfers", "", "`FILE` with the result of 'bench transfers'")
	cmd.Flags().StringVar(&curves, "curves", "", "`FOLDER` with the results of 'bench curve'")
	cmd.Flags().StringVar(&signatures, "crypto", "", "`FILE` with what 'go test -bench' of package crypto printed")
	cmd.Flags().StringSliceVar(&endurance, "endurance", nil, "`FILES` with results of long runs, and of many accounts")
	return cmd
}

func readResults(files []string) (results []*bench.Result, err error) {
	for _, name := range files {
		r, err := bench.ReadResult(name)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}
