package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// outputFlags say where the result of a run goes beside standard output.
type outputFlags struct {
	json, csv, markdown string
	history             string
	noHistory           bool
}

func (f *outputFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.json, "json", "", "also write the result to `FILE`, as JSON")
	flags.StringVar(&f.csv, "csv", "", "also write the result to `FILE`, as a line of CSV below the names of columns")
	flags.StringVar(&f.markdown, "markdown", "", "also write the result to `FILE`, as a table to quote")
	flags.StringVar(&f.history, "history", bench.DefaultHistory, "append a line of JSON about the run to `FILE`")
	flags.BoolVar(&f.noHistory, "no-history", false, "leave no line in the history")
}

// names are those of the flags, for commands that make many runs and the command that repeats one.
func (*outputFlags) names() []string {
	return []string{"json", "csv", "markdown", "history", "no-history"}
}

// check tries all files before anything runs. A history that can't be written is told, and left out.
func (f *outputFlags) check(stderr io.Writer) error {
	if err := bench.CheckOutput(f.json, f.csv, f.markdown); err != nil {
		return err
	}
	if f.noHistory || f.history == "" {
		return nil
	}
	if err := bench.CheckOutput(f.history); err != nil {
		tellNoHistory(stderr, err)
		f.noHistory = true
	}
	return nil
}

func tellNoHistory(stderr io.Writer, err error) {
	fmt.Fprintf(stderr, "The run is not in the history: %s (--no-history to leave it out)\n", err)
}

// write writes the files that were asked for, each that can be. That the history can't be written is told and is no failure of
// the run.
func (f *outputFlags) write(r *bench.Result, stderr io.Writer) (err error) {
	if f.json != "" {
		err = r.WriteFile(f.json)
	}
	if f.csv != "" {
		err = errors.Join(err, bench.WriteCSV(f.csv, r))
	}
	if f.markdown != "" {
		err = errors.Join(err, bench.WriteMarkdown(f.markdown, r))
	}
	f.record(r, stderr)
	return err
}

// record appends to the history.
func (f *outputFlags) record(r *bench.Result, stderr io.Writer) {
	if f.noHistory || f.history == "" {
		return
	}
	if err := r.AppendHistory(f.history); err != nil {
		tellNoHistory(stderr, err)
	}
}
