package main

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"fastpay/codec"
)

// maxNewAccounts is how many accounts one command makes: their lines and keys are in memory at once, 1 GiB of them.
const maxNewAccounts = 4_000_000

// newCreateAccountsCommand is "client create_accounts": new keys, and lines for the initial accounts file.
func newCreateAccountsCommand() *cobra.Command {
	var funding string
	cmd := &cobra.Command{
		Use:     "create_accounts NUM",
		Aliases: []string{"create-accounts"},
		Short:   "Make accounts, and print a line for the initial accounts file for each",
		Long: `Makes keys, adds their accounts to the accounts file, and prints a line ADDRESS:BALANCE for each. The servers
must be started with these lines for the money to exist.`,
		Example: `  client --committee committee.json --accounts accounts.json create_accounts 1000 --initial-funding 100 >> initial_accounts.txt`,
		Args:    exactly(1, "the number of accounts"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 1 || n > maxNewAccounts {
				return usagef("number of accounts %q: expected 1 to %d", args[0], maxNewAccounts)
			}
			balance, err := codec.ParseBalance(funding)
			if err != nil || balance.Less(codec.Balance{}) {
				return usagef("--initial-funding %q is no amount of money: expected a whole number, 0 or more", funding)
			}
			return createAccounts(cmd, n, balance)
		},
	}
	cmd.Flags().StringVar(&funding, "initial-funding", "0", "`BALANCE` of each account")
	return cmd
}

func createAccounts(cmd *cobra.Command, n int, balance codec.Balance) error {
	s, err := openSession(cmd, true)
	if err != nil {
		return err
	}
	defer s.close()
	addresses, err := s.CreateAccounts(n, balance)
	if err != nil {
		return err
	}
	lines := bufio.NewWriter(cmd.OutOrStdout())
	for i := range addresses {
		fmt.Fprintf(lines, "%s:%s\n", codec.FormatAddress(&addresses[i]), balance)
	}
	return lines.Flush()
}
