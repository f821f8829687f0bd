package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"fastpay/node"
)

// newAddAccountsCommand is "server add-accounts": accounts for an authority that has been started before.
func newAddAccountsCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "add-accounts --initial-accounts FILE --committee FILE",
		Short: "Fund accounts that were added to the initial accounts file",
		Long: `The first start of an authority funds the accounts of the initial accounts file, and later starts refuse a file with
more. This command funds those that were appended since, in all journals of the authority in its data directory, once,
however often it is called. The authority must be stopped, and every authority of the committee needs it, with the same
file. An account that was paid before it is added keeps that and gets its balance in addition.`,
		Example: `  client --committee committee.json --accounts accounts.json create_accounts 10 --initial-funding 100 >> initial_accounts.txt
  server --server server1.json add-accounts --initial-accounts initial_accounts.txt --committee committee.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.durability, f.retain, f.pin = string(node.DurabilitySync), "all", "off"
			options, err := f.options(cmd)
			if err != nil {
				return err
			}
			done, err := node.AddAccounts(*options)
			for _, d := range done {
				if d.Folder != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %d accounts added\n", filepath.Base(d.Folder), d.Added)
				}
			}
			return hintNode(err)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.committee, "committee", "", "`FILE` with the lines that generate printed, of all authorities")
	flags.StringVar(&f.initialAccounts, "initial-accounts", "", "`FILE` with lines ADDRESS:BALANCE, the new ones at its end")
	addDataDirFlag(cmd, &f.dataDir)
	return cmd
}
