package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// newBenchCurveCommand is "bench curve": runs that differ in one option.
func newBenchCurveCommand() *cobra.Command {
	f := benchFlags{Options: bench.DefaultOptions()}
	var vary, dir string
	var values []int
	cmd := &cobra.Command{
		Use:   "curve",
		Short: "Measure how the throughput depends on one option",
		Long: `Runs the benchmark with each of the values of one option, one after the other, and writes the result of each as JSON, and
all as CSV, into a folder. All other flags are those of 'fastpay bench'. A run that fails, or that the machine has too
little memory for, leaves a gap that says why, and the others go on.`,
		Example: "  fastpay bench curve --vary in-flight --values 100,1000,4000 --protocol tcp --seconds 3 -o results/curves",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flag, ok := bench.CurveFlag(vary)
			if !ok {
				return usagef("--vary %q: expected one of %s", vary, strings.Join(bench.CurveNames(), ", "))
			}
			if err := f.resolve(cmd, append(f.output.names(), "vary", "values", "output", flag)...); err != nil {
				return err
			}
			if _, err := bench.CurveOptions(f.Options, vary, values); err != nil {
				return usagef("%s", err)
			}
			if err := f.output.check(cmd.ErrOrStderr()); err != nil {
				return err
			}
			curve, err := bench.RunCurve(cmd.Context(), f.Options, vary, values, dir, cmd.ErrOrStderr())
			if curve != nil {
				for _, p := range curve.Points {
					if p.Result != nil {
						f.output.record(p.Result, cmd.ErrOrStderr())
					}
				}
			}
			return err
		},
	}
	f.addTo(cmd)
	flags := cmd.Flags()
	flags.StringVar(&vary, "vary", "", "what differs: `"+strings.Join(bench.CurveNames(), ", ")+"`")
	flags.IntSliceVar(&values, "values", nil, "`LIST` of its values")
	flags.StringVarP(&dir, "output", "o", "results/curves", "`FOLDER` for JSON and CSV files")
	for _, name := range []string{"json", "csv", "markdown", "require-valid"} { // of single runs
		if err := flags.MarkHidden(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

// without are the flags whose names are not in names; each is as givenFlags made it.
func without(flags []string, names ...string) []string {
	return slices.DeleteFunc(flags, func(flag string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		return slices.Contains(names, name)
	})
}
