package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"fastpay/node"
)

func addDataDirFlag(cmd *cobra.Command, value *string) {
	cmd.Flags().StringVar(value, "data-dir", "",
		"`DIR` of the journal (default the server file's name with .data in place of .json)")
}

// dataDirOf is the data directory: what the flag says, or the one beside the server file.
func dataDirOf(flag, server string) string {
	if flag != "" {
		return flag
	}
	return strings.TrimSuffix(server, ".json") + ".data"
}

// hintNode gives a hint to the error with which a node did not start, or ended.
func hintNode(err error) error {
	if r, ok := errors.AsType[*node.Refusal](err); ok && r.Hint != "" {
		return withHint(err, r.Hint)
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return withHint(err, "make room on the disk of the data directory, and start it again: nothing that was answered is "+
			"lost; --retain bounds what is kept")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return withHint(err, "the user that runs the server must be able to write to its data directory; see --data-dir")
	}
	return err
}

// logRecovery says what a start found on the disk.
func logRecovery(log *slog.Logger, r node.Recovery) {
	switch {
	case r.Folder == "":
		log.Warn("Nothing is kept: after a restart this authority has forgotten its votes")
	case r.Begun:
		log.Info("Began the journal", "folder", r.Folder)
	default:
		log.Info("Recovered the journal", "folder", r.Folder, "records", r.Records, "bytes", r.Bytes,
			"credits_redelivered", r.Redelivered, "snapshot_took", r.SnapshotTook.Round(time.Millisecond),
			"took", r.Took.Round(time.Millisecond))
	}
}
