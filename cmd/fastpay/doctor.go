package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// maxCalibration bounds a slip of the finger.
const maxCalibration = 600

// newDoctorCommand is "doctor": what this machine is like for an authority.
func newDoctorCommand() *cobra.Command {
	var asJSON bool
	dir, seconds := ".", 3.0
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine can do, and what to change on it",
		Long: `Looks at CPU, limits and disk, tries for three seconds how many signatures a core checks and how long a message and a sync take,
and lists what to change, with the command. Whatever it finds, the exit code is 0. The file that it syncs is gone afterwards.`,
		Example: `  fastpay doctor
  fastpay doctor --dir /var/lib/fastpay --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !(seconds > 0 && seconds <= maxCalibration) {
				return usagef("--seconds %v: expected more than 0 and at most %d", seconds, maxCalibration)
			}
			full, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			x, err := bench.Examine(cmd.Context(), full, seconds)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(x)
			}
			return x.WriteText(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", dir, "`FOLDER` whose disk is tried")
	flags.Float64Var(&seconds, "seconds", seconds, "how long to try, in `SECONDS`")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
