package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
	"fastpay/bench/paper"
)

// newBenchPaperCommand is "bench paper": the paper's evaluation.
func newBenchPaperCommand() *cobra.Command {
	o := bench.EvaluationOptions{Scale: "quick", Dir: "results/paper", Seed: bench.DefaultOptions().Seed}
	figures := paper.All
	cmd := &cobra.Command{
		Use:   "paper",
		Short: "Repeat the paper's evaluation: every figure and table of it",
		Long: `Runs the experiments of the paper on this machine, and writes into a folder each run as JSON, and for each figure a table
as CSV and Markdown, and charts of ours and of the paper's data as SVG; and its headline beside ours. Rates are of one authority
beside its load generator, each phase timed alone, as the paper's were, and of whole payments. Latencies are of a committee
of processes behind an emulated WAN, until all have replied, and until a quorum has.

Scale quick takes less than 15 minutes on two cores: a fifth of the paper's load, three runs of each point. Scale full has
the paper's load, nine runs, and takes hours. Scale smoke tries in seconds that everything works; its numbers mean nothing. How
a scale differs from the paper's experiments is written beside each table.

The same command goes on where it was interrupted: runs of the same commit and options are kept, others are made again. A run
that fails is told, the others go on, and the exit code is that of the worst, as of 'fastpay bench'.`,
		Example: `  # everything
  fastpay bench paper -o results/paper
  fastpay bench report results/paper -o report.html

  # confirmation orders over the committee's size, and latencies with crashed authorities
  fastpay bench paper --figure 7,table2

  # as the paper had it, over a night
  fastpay bench paper --scale full -o results/paper-full`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Figures, err = paper.FindFigures(figures); err != nil {
				return usagef("--figure: %s", strings.TrimPrefix(err.Error(), "paper: "))
			}
			if err := bench.CheckScale(o.Scale); err != nil {
				return usagef("--scale: %s", strings.TrimPrefix(err.Error(), "bench: "))
			}
			o.Command = append([]string{"fastpay", "bench", "paper"}, givenFlags(cmd)...)
			m, err := bench.Evaluate(cmd.Context(), o, cmd.ErrOrStderr())
			if m != nil {
				if err := printEvaluation(cmd, o.Dir, m); err != nil {
					return err
				}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&figures, "figure", figures, "`LIST` of "+strings.Join(paper.FigureIDs(), ", ")+", or all")
	flags.StringVar(&o.Scale, "scale", o.Scale, "how much: `"+strings.Join(bench.ScaleNames(), ", ")+"`")
	flags.StringVarP(&o.Dir, "output", "o", o.Dir, "`FOLDER` of the run")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "`N`umber that all keys follow from")
	return cmd
}

// printEvaluation tells what there is of each figure, and where.
func printEvaluation(cmd *cobra.Command, dir string, m *paper.Manifest) error {
	var b strings.Builder
	for _, f := range m.Figures {
		fmt.Fprintf(&b, "%-8s %3d of %3d runs", f.ID, f.Done, f.Points)
		if f.Failed > 0 {
			fmt.Fprintf(&b, ", %d FAILED", f.Failed)
		}
		fmt.Fprintf(&b, "  %s\n", filepath.Join(dir, f.Markdown))
	}
	fmt.Fprintf(&b, "headline                  %s\n%s after %.0f s of runs, scale %s\n", filepath.Join(dir, "headline.md"), m.State,
		m.Seconds, m.Scale)
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}
