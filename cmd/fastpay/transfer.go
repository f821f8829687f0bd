package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fastpay/codec"
	"fastpay/node/client"
)

// newTransferCommand is "client transfer": a payment.
func newTransferCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "transfer AMOUNT --from ADDRESS --to ADDRESS",
		Short: "Pay, and print the certificate",
		Long: `Pays from an account of the accounts file to any account, and prints the certificate on one line. When the command
ends with code 0 the payment is final, and settled at a quorum of the authorities.

The signed order is in the accounts file before it is sent. If the payment can't be finished now, the next command of
that account finishes it: making it again would pay twice.`,
		Example: `  client --committee committee.json --accounts accounts.json transfer 10 \
    --from VY7aC/UoAr5/7RA9OGC6g6HwkQA1dq0arteAGyOIQ34= --to GK7TDG1H85FbyqgulGZ4LxCTyMKyHBMfx/w/R/kyLHU=`,
		Args: exactly(1, "the amount"),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil || amount == 0 {
				return usagef("amount %q: expected a whole number from 1 to 2^64-1", args[0])
			}
			if from == "" {
				return required("--from ADDRESS", "an account of the accounts file")
			}
			if to == "" {
				return required("--to ADDRESS", "any account")
			}
			sender, err := parseAccount("--from", from)
			if err != nil {
				return err
			}
			recipient, err := parseAccount("--to", to)
			if err != nil {
				return err
			}
			return transfer(cmd, sender, recipient, amount)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`ADDRESS` of the account that pays, one of the accounts file")
	cmd.Flags().StringVar(&to, "to", "", "`ADDRESS` of the account that is paid")
	return cmd
}

func transfer(cmd *cobra.Command, from, to codec.Address, amount uint64) error {
	s, err := openSession(cmd, false)
	if err != nil {
		return err
	}
	defer s.close()
	s.log.Info("Starting transfer")
	start := time.Now()
	recipient := codec.Recipient{Kind: codec.FastPay, Address: to}
	certificate, err := s.Transfer(cmd.Context(), from, recipient, amount, codec.UserData{})
	if !certificate.IsZero() {
		// Final even when its settlement failed: whoever has the line can settle it.
		if _, printErr := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", certificate.AppendDebug(nil)); printErr != nil {
			return errors.Join(err, printErr)
		}
	}
	if errors.Is(err, client.ErrUnknownAccount) {
		return withHint(err, "--from must be an account of the accounts file")
	}
	if err != nil {
		return err
	}
	s.log.Info(fmt.Sprintf("Transfer confirmed after %d us", time.Since(start).Microseconds()))
	if s.wallet.Account(&to) != nil {
		s.log.Info("Updated recipient's local balance")
	}
	s.log.Info("Saved user account states")
	return nil
}
