package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fastpay/codec"
	"fastpay/node/client"
)

// newReceiveCommand is "client receive": finds payments to an account.
func newReceiveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "receive ADDRESS",
		Short: "Find the payments to an account, and count them",
		Long: `Asks the authorities for payments to an account of the accounts file, checks each one, has its payer's history
settled at a quorum, and counts it once. Prints the certificate of each new payment on one line.`,
		Example: `  client --committee committee.json --accounts accounts.json receive VY7aC/UoAr5/7RA9OGC6g6HwkQA1dq0arteAGyOIQ34=`,
		Args:    exactly(1, "the account's address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := parseAccount("ADDRESS", args[0])
			if err != nil {
				return err
			}
			return receive(cmd, address)
		},
	}
}

func receive(cmd *cobra.Command, address codec.Address) error {
	s, err := openSession(cmd, false)
	if err != nil {
		return err
	}
	defer s.close()
	received, err := s.Receive(cmd.Context(), address)
	for _, certificate := range received {
		if _, printErr := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", certificate.AppendDebug(nil)); printErr != nil {
			return errors.Join(err, printErr)
		}
	}
	if errors.Is(err, client.ErrUnknownAccount) {
		return withHint(err, "it is not in the accounts file")
	}
	if err != nil {
		return err
	}
	s.log.Info("Received payments", "new", len(received), "spendable", s.wallet.Account(&address).Spendable())
	return nil
}
