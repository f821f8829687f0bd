package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchReportCommand is "bench report": a page to look at.
func newBenchReportCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Make one HTML page of the results in a folder",
		Long: `Makes one self-contained HTML page of all results in a folder and the folders below it, as --json wrote them, two single runs
as well as a whole evaluation: rates beside the paper's, latency by percentile and over the offered load with its knee, each
second, scaling curves, the budget of a payment, signatures, what was rejected and what is not valid, the environment, and
the commands that repeat the runs. Results that are named as points of a curve, as 'bench curve' and --sweep do, become one. The
page needs no network and no scripts, follows light and dark, and can be read on a phone and printed. The file appears whole or not
at all. JSON files that are no results are left out; broken ones with a line on standard error.`,
		Example: `  # the repository's own measurements
  fastpay bench report perf/results -o report.html

  fastpay bench --protocol tcp --json results/a.json
  fastpay bench --protocol tcp --max-in-flight 4000 --json results/b.json
  fastpay bench report results -o report.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("a folder with results is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := bench.WritePage(file, cmd.ErrOrStderr(), args...)
			if errors.Is(err, bench.ErrNoResults) {
				return withHint(err, "'fastpay bench --json "+args[0]+"/run.json' writes one")
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Wrote %s\n", file)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "report.html", "`FILE` to write")
	return cmd
}
