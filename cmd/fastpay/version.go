package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/crypto"
	"fastpay/perf"
)

// versionInfo is what "version --json" prints.
type versionInfo struct {
	Commit        string   `json:"commit"` // "unknown" when built outside the repository
	Dirty         bool     `json:"dirty"`  // built from a tree with changes
	Go            string   `json:"go"`
	Platform      string   `json:"platform"`
	CryptoBackend string   `json:"crypto_backend"`
	CPUFeatures   []string `json:"cpu_features"`
}

// newVersionCommand is "version": what is needed to judge a report.
func newVersionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print commit, Go version, active crypto backend and CPU features",
		Long: `Prints what a report of a problem, or of a result, should have.

The crypto backend is the fastest one for this processor. The environment variable FASTPAY_CRYPTO names another, for
every command: generic, voi or ifma.`,
		Example: `  fastpay version --json
  FASTPAY_CRYPTO=voi fastpay version`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := currentVersion()
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			}
			dirty := ""
			if v.Dirty {
				dirty = ", with changes"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "commit          %s%s\ngo              %s %s\ncrypto backend  %s\ncpu features    %s\n",
				v.Commit, dirty, v.Go, v.Platform, v.CryptoBackend, strings.Join(v.CPUFeatures, " "))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func currentVersion() versionInfo {
	commit, dirty := perf.Commit()
	return versionInfo{
		Commit:        commit,
		Dirty:         dirty,
		Go:            runtime.Version(),
		Platform:      runtime.GOOS + "/" + runtime.GOARCH,
		CryptoBackend: crypto.Backend(),
		CPUFeatures:   crypto.Features(),
	}
}
