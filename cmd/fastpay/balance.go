package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fastpay/codec"
	"fastpay/node/client"
)

// newQueryBalanceCommand is "client query_balance": what an account can spend.
func newQueryBalanceCommand() *cobra.Command {
	var remote bool
	cmd := &cobra.Command{
		Use:     "query_balance ADDRESS",
		Aliases: []string{"query-balance"},
		Short:   "Print what an account can spend",
		Long: `Prints what an account of the accounts file can spend, as Amount(N). It is answered from the file when all payments
of the account are in it; else what is missing is fetched from the authorities. Payments to the account count once
'receive' has found them, or when they came from the same file.

With --remote it prints, as Balance(N), what a quorum of authorities says of any account.`,
		Example: `  client --committee committee.json --accounts accounts.json query_balance VY7aC/UoAr5/7RA9OGC6g6HwkQA1dq0arteAGyOIQ34=`,
		Args:    exactly(1, "the account's address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := parseAccount("ADDRESS", args[0])
			if err != nil {
				return err
			}
			return queryBalance(cmd, address, remote)
		},
	}
	cmd.Flags().BoolVar(&remote, "remote", false, "ask the authorities, about any account")
	return cmd
}

func queryBalance(cmd *cobra.Command, address codec.Address, remote bool) error {
	s, err := openSession(cmd, false)
	if err != nil {
		return err
	}
	defer s.close()
	s.log.Info("Starting balance query")
	start := time.Now()
	var result string
	if remote {
		balance, err := s.CommitteeBalance(cmd.Context(), address)
		if err != nil {
			return err
		}
		result = fmt.Sprintf("Balance(%s)", balance)
	} else {
		amount, err := s.QueryBalance(cmd.Context(), address)
		if errors.Is(err, client.ErrUnknownAccount) {
			return withHint(err, "it is not in the accounts file; --remote asks the authorities about any account")
		}
		if err != nil {
			return err
		}
		result = fmt.Sprintf("Amount(%d)", amount)
	}
	s.log.Info(fmt.Sprintf("Balance confirmed after %d us", time.Since(start).Microseconds()))
	_, err = fmt.Fprintln(cmd.OutOrStdout(), result)
	return err
}
