package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchResultsCommand is "bench results": RESULTS.md from the results of runs.
func newBenchResultsCommand() *cobra.Command {
	var file, from, keep, table, transfers, curves, signatures string
	var trace bool
	var endurance, attacks []string
	cmd := &cobra.Command{
		Use:   "results FILE.json...",
		Short: "Write RESULTS.md from the JSON results of runs",
		Long: `Renders results, as --json wrote them, as a Markdown report beside the paper's figures. Curves, endurance and signatures
are parts of their own. In a file that is there already only what is between the marker comments of a part that is given is replaced.

With --from the report is written whole from a run directory, as the repository keeps one in perf/results; --trace instead
lists where each of its numbers is from: the file, the commit, the command.`,
		Example: `  fastpay bench results results/tcp-4.json results/tcp-10.json --output RESULTS.md

  # the part with curves
  fastpay bench results --curves results/curves

  # the part with signatures
  go test -run '^$' -bench '^Benchmark(Vote|Order|Sign|Bad)$' ./crypto > crypto.txt
  fastpay bench results --crypto crypto.txt

  # all of it, from the run directory of the repository
  fastpay bench results --from perf/results
  fastpay bench results --from perf/results --trace`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if from != "" {
				if err := together(cmd, args); err != nil {
					return err
				}
				if keep != "" {
					if err := bench.KeepPaper(keep, from); err != nil {
						return err
					}
				}
				return resultsFrom(cmd, from, file, table, trace)
			}
			if len(args) == 0 && curves == "" && len(endurance)+len(attacks) == 0 && signatures == "" {
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
			for _, name := range attacks {
				r, err := bench.ReadAttackResult(name)
				if err != nil {
					return err
				}
				report.Attacks = append(report.Attacks, r)
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
	cmd.Flags().StringVar(&from, "from", "", "`DIR`ectory with all that the report is made of")
	cmd.Flags().StringVar(&keep, "keep-paper", "", "with --from, first put what the report shows of the run of 'bench paper' in `FOLDER` there")
	cmd.Flags().StringVar(&table, "table", "", "with --from, also put a short table between the marker comments of `FILE`, as the README has it")
	cmd.Flags().BoolVar(&trace, "trace", false, "with --from, write nothing, and list where each number in the report is from")
	cmd.Flags().StringVar(&transfers, "transfers", "", "`FILE` with the result of 'bench transfers'")
	cmd.Flags().StringVar(&curves, "curves", "", "`FOLDER` with the results of 'bench curve'")
	cmd.Flags().StringVar(&signatures, "crypto", "", "`FILE` with what 'go test -bench' of package crypto printed")
	cmd.Flags().StringSliceVar(&endurance, "endurance", nil, "`FILES` with results of long runs, and of many accounts")
	cmd.Flags().StringSliceVar(&attacks, "attacks", nil, "`FILES` with results of 'bench attack'")
	return cmd
}

// together refuses what a run directory has of its own.
func together(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("--from and files with results do not go together")
	}
	for _, name := range []string{"transfers", "curves", "crypto", "endurance", "attacks"} {
		if cmd.Flags().Changed(name) {
			return usagef("--from and --%s do not go together", name)
		}
	}
	return nil
}

// resultsFrom writes the report whole, or lists where the numbers of the one that is there are from.
func resultsFrom(cmd *cobra.Command, dir, file, table string, trace bool) error {
	if trace {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		numbers, err := bench.TraceReport(dir, string(text))
		if err != nil {
			return err
		}
		return bench.WriteTrace(cmd.OutOrStdout(), dir, numbers)
	}
	report, err := bench.ReadRunDir(dir)
	if err != nil {
		return err
	}
	if err := report.Write(file); err != nil {
		return err
	}
	if table != "" {
		if err := report.UpdateTable(table); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Wrote %s\n", file)
	return err
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
