package main

import (
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

// write writes the files that were asked for. That the history can't be written is told and is no failure of the run.
func (f *outputFlags) write(r *bench.Result, stderr io.Writer) error {
	if f.json != "" {
		if err := r.WriteFile(f.json); err != nil {
			return err
		}
	}
	if f.csv != "" {
		if err := bench.WriteCSV(f.csv, r); err != nil {
			return err
		}
	}
	if f.markdown != "" {
		if err := bench.WriteMarkdown(f.markdown, r); err != nil {
			return err
		}
	}
	f.record(r, stderr)
	return nil
}

// record appends to the history.
func (f *outputFlags) record(r *bench.Result, stderr io.Writer) {
	if f.noHistory || f.history == "" {
		return
	}
	if err := r.AppendHistory(f.history); err != nil {
		fmt.Fprintf(stderr, "The run is not in the history: %s (--no-history to leave it out)\n", err)
	}
}
