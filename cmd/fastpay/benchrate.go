package main

import (
	"github.com/spf13/cobra"

	"fastpay/bench"
)

// checkLoop checks the flags that choose between closed and open loop.
func (f *benchFlags) checkLoop(cmd *cobra.Command) error {
	flags := cmd.Flags()
	rate := flags.Changed("rate")
	switch {
	case rate && f.Rate <= 0:
		return usagef("--rate %v: expected more than 0", f.Rate)
	case f.sweep != "" && f.findMax, rate && (f.sweep != "" || f.findMax):
		return usagef("--rate, --sweep and --find-max exclude each other")
	case f.findMax != (f.slo != ""):
		return usagef("--find-max needs --slo 'p99<50ms', and --slo needs --find-max")
	case flags.Changed("sweep-dir") && f.sweep == "":
		return usagef("--sweep-dir needs --sweep")
	case (f.sweep != "" || f.findMax) && flags.Changed("payments"):
		return usagef("--payments is of one run; rates are searched and swept by time")
	}
	vary := flags.Lookup("vary") // of curve
	open := rate || f.sweep != "" || f.findMax || vary != nil && vary.Value.String() == "rate"
	if !open && flags.Changed("arrival") {
		return usagef("--arrival is of an open loop, which needs --rate")
	}
	if open && !flags.Changed("max-in-flight") {
		f.MaxInFlight = bench.OpenInFlight
	}
	return nil
}

// runSweep is "bench --sweep".
func runSweep(cmd *cobra.Command, f *benchFlags) error {
	rates, err := bench.ParseSweep(f.sweep)
	if err != nil {
		return usagef("%s", err)
	}
	curve, err := bench.RunSweep(cmd.Context(), f.Options, rates, f.sweepDir, cmd.ErrOrStderr())
	if curve == nil {
		return err
	}
	for _, p := range curve.Points {
		if p.Result != nil {
			f.output.record(p.Result, cmd.ErrOrStderr())
		}
	}
	if err := curve.WriteTable(cmd.OutOrStdout()); err != nil {
		return err
	}
	if f.output.json != "" {
		if err := curve.WriteFile(f.output.json); err != nil {
			return err
		}
	}
	return err
}

// runFindMax is "bench --find-max".
func runFindMax(cmd *cobra.Command, f *benchFlags) error {
	slo, err := bench.ParseSLO(f.slo)
	if err != nil {
		return usagef("%s", err)
	}
	search, err := bench.FindMax(cmd.Context(), f.Options, slo, cmd.ErrOrStderr())
	for _, step := range search.Steps {
		f.output.record(step.Result, cmd.ErrOrStderr())
	}
	if len(search.Steps) == 0 {
		return err
	}
	if err := search.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	if f.output.json != "" {
		if err := search.WriteFile(f.output.json); err != nil {
			return err
		}
	}
	return err
}
