package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

type compareFlags struct {
	binaries bool
	rounds   int
	keep     string
	failIf   []string
	json     string
	markdown string
}

// newBenchCompareCommand is "bench compare": what changed between two results, or two binaries.
func newBenchCompareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Tell whether B is faster or slower than A, or whether it can't be told",
		Long: `Compares results, as --json wrote them: two files, or two folders of repeated runs. With --binaries A and B are two
builds of this program, which are run in turn, A B B A in each round, with the flags behind a lone --. Prints medians, their
ratio with a 95 % bootstrap interval, the noise (how far a run typically is from the median of its side), and a verdict: faster,
slower, same within noise, or can't tell. A difference counts when it is beyond the noise and its interval leaves no
difference out; with fewer than 4 runs a side a noise of 10 % is assumed, of 25 % for p99 and beyond.

--fail-if METRIC OP NUMBER ends with exit code 7 when the condition holds; without it the exit code is 0 whatever is found.
METRIC is payments (also rate, orders, confirmations), ` + strings.Join(bench.MetricNames()[1:], ", ") + `. OP is < <= > >=.
NUMBER with x, or with %, is B's median as a part of A's; otherwise it is a bound of B's median, in the metric's unit or the
one that follows: ms, us, s, µs, B, MiB, GiB, /s.`,
		Example: `  fastpay bench compare before.json after.json
  fastpay bench compare results/before results/after --fail-if 'payments<0.95x' --fail-if 'p99>1.2x' --markdown compare.md

  # two builds, twice A B B A, windows of 5 s
  fastpay bench compare --binaries ./fastpay-old ./fastpay-new --rounds 2 -- --protocol tcp --seconds 5`,
		Args: twoThings,
		RunE: func(cmd *cobra.Command, args []string) error { return runCompare(cmd, &f, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.binaries, "binaries", false, "A and B are programs to run; flags of bench follow a lone --")
	flags.IntVar(&f.rounds, "rounds", bench.DefaultRounds, "with --binaries: run A B B A so many (`N`) times")
	flags.StringVar(&f.keep, "keep", "", "with --binaries: keep the result of each run in `FOLDER`")
	flags.StringArrayVar(&f.failIf, "fail-if", nil, "exit code 7 when `CONDITION` holds, such as 'payments<0.95x'; repeatable")
	flags.StringVar(&f.json, "json", "", "also write the comparison to `FILE`, as JSON")
	flags.StringVar(&f.markdown, "markdown", "", "also write the comparison to `FILE`, as tables to quote")
	return cmd
}

// twoThings wants A and B, and lets anything follow a lone --.
func twoThings(cmd *cobra.Command, args []string) error {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash]
	}
	return exactly(2, "what to compare: A and B")(cmd, args)
}

func runCompare(cmd *cobra.Command, f *compareFlags, args []string) error {
	var gates []*bench.Gate
	for _, text := range f.failIf {
		g, err := bench.ParseGate(text)
		if err != nil {
			return usagef("--fail-if: %s", err)
		}
		gates = append(gates, g)
	}
	if err := bench.CheckOutput(f.json, f.markdown); err != nil {
		return err
	}
	a, b, err := f.sides(cmd, args)
	if err != nil {
		return err
	}
	c, err := bench.Compare(a, b)
	if err != nil {
		return err
	}
	c.Apply(gates)
	if err := c.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	if f.json != "" {
		if err := c.WriteFile(f.json); err != nil {
			return err
		}
	}
	if f.markdown != "" {
		if err := c.WriteMarkdown(f.markdown); err != nil {
			return err
		}
	}
	return c.Err()
}

// sides reads both, or measures them.
func (f *compareFlags) sides(cmd *cobra.Command, args []string) (a, b *bench.Side, err error) {
	if !f.binaries {
		if len(args) > 2 {
			return nil, nil, usagef("unexpected argument %q: flags of bench are for --binaries", args[2])
		}
		if a, err = bench.ReadSide(args[0], cmd.ErrOrStderr()); err != nil {
			return nil, nil, err
		}
		b, err = bench.ReadSide(args[1], cmd.ErrOrStderr())
		return a, b, err
	}
	o := bench.Interleave{Binaries: [2]string(args[:2]), Flags: args[2:], Rounds: f.rounds, Dir: f.keep}
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "fastpay-compare-")
		if err != nil {
			return nil, nil, err
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	} else if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, nil, err
	}
	return o.Run(cmd.Context(), cmd.ErrOrStderr())
}
