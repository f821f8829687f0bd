package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// runPeer is "bench --peer": ours and another server under the same load.
func runPeer(cmd *cobra.Command, f *benchFlags) error {
	checked := f.Options
	checked.Peer = f.peer
	if err := checked.Check(); err != nil {
		return usagef("--peer: %s", err)
	}
	both, err := bench.RunPeer(cmd.Context(), f.Options, f.peer, cmd.ErrOrStderr())
	switch {
	case both.Ours == nil:
		return err
	case both.Peer == nil: // what took its time is not lost
		return errors.Join(f.show(cmd, both.Ours), err)
	}
	if err := both.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	ours, theirs := f.output, f.output.beside("-peer")
	for _, o := range []struct {
		output outputFlags
		result *bench.Result
	}{{ours, both.Ours}, {theirs, both.Peer}} {
		if err := o.output.write(o.result, cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	return both.Err(f.requireValid)
}

// beside are the same files with mark before the extension of their names.
func (f outputFlags) beside(mark string) outputFlags {
	for _, name := range []*string{&f.json, &f.csv, &f.markdown} {
		if *name != "" {
			extension := filepath.Ext(*name)
			*name = strings.TrimSuffix(*name, extension) + mark + extension
		}
	}
	return f
}
