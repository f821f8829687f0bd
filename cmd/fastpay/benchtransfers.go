package main

import (
	"strings"

	"github.com/spf13/cobra"

	"fastpay/bench"
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
certificate, and to settlement by a quorum.`,
		Example: "  fastpay bench transfers --protocol tcp --committee-size 4 --json transfers.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Protocol, err = committee.ParseProtocol(protocol); err != nil {
				return usagef("--protocol: %s", err)
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
	flags.StringVar(&file, "json", "", "also write the result to `FILE`, as JSON")
	return cmd
}
