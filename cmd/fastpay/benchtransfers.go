package main

import (
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
	"fastpay/node"
	"fastpay/node/committee"
)

// newBenchTransfersCommand is "bench transfers": how long a payer waits.
func newBenchTransfersCommand() *cobra.Command {
	o := bench.TransferOptions{Protocol: committee.TCP, CommitteeSize: 4, Transfers: 2000}
	protocol, file := strings.ToLower(o.Protocol.String()), ""
	cmd := &cobra.Command{
		Use:   "transfers",
		Short: "Measure the latency of single transfers on an idle committee",
		Long: `Runs a whole committee in this process, behind sockets on loopback, and makes transfers one after the other: from order to
certificate, and to settlement by a quorum.

With --durability sync, a committee without journals takes turns with it, and the disk is tried in between: what durability
adds is told in syncs of the disk. Authorities that share a disk wait for each other's, so that is best asked of one.`,
		Example: `  fastpay bench transfers --protocol tcp --committee-size 4 --json transfers.json

  # what a journal adds
  fastpay bench transfers --committee-size 1 --durability sync`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Protocol, err = committee.ParseProtocol(protocol); err != nil {
				return usagef("--protocol: %s", err)
			}
			if _, err := node.ParseDurability(o.Durability); err != nil {
				return usagef("--durability: %s", err)
			}
			o.Command = append([]string{"fastpay", "bench", "transfers"}, givenFlags(cmd)...)
			l, err := bench.RunTransfers(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := l.WriteText(cmd.OutOrStdout()); err != nil || file == "" {
				return err
			}
			return l.WriteFile(file)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&protocol, "protocol", protocol, "`udp or tcp`")
	flags.IntVar(&o.CommitteeSize, "committee-size", o.CommitteeSize, "`N`umber of authorities")
	flags.IntVar(&o.Transfers, "transfers", o.Transfers, "`N`umber of transfers measured")
	flags.StringVar(&o.Durability, "durability", "none", "what is on disk before a reply: `sync, async or none`")
	flags.StringVar(&o.DataDir, "data-dir", "", "where journals are made for the run: a `FOLDER` (default in the user's cache)")
	flags.StringVar(&file, "json", "", "also write the result to `FILE`, as JSON")
	return cmd
}
