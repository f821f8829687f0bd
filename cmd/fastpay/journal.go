package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"fastpay/node/audit"
)

// errDamaged is the verdict of a journal command. What is wrong was printed.
var errDamaged = errors.New("damaged: what is wrong, where, and what to do is above")

// newJournalCommand is "journal": commands that look at the journals of authorities.
func newJournalCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Look at the journals of authorities, and check them",
		Long: `An authority keeps what it signed and settled in a journal, below its data directory. These commands read it, change
nothing, and take no lock, so they may look at the directory of an authority that runs, or at a copy. The directory is a
data directory, an authority's folder in it, or the folder of one journal.`,
		Example: `  fastpay journal inspect server1.data
  fastpay journal verify server1.data --committee committee.json`,
		Annotations: group,
		Args:        noSuchCommand,
		RunE:        showHelp,
	}
	cmd.AddCommand(newInspectCommand(), newVerifyCommand())
	return cmd
}

// newInspectCommand is "journal inspect": what is there.
func newInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect DIR",
		Short: "Tell what is in journals: whose, segments, records, snapshots, how they end",
		Long: `Reads all records and snapshots and tells whose journals they are, which segments and snapshots there are, how many
records of which kind each shard has, and how the journals end: closed in good order, as a crash left them, or damaged.
Checksums are verified; signatures and balances are not, see verify. Exit code 1 if a file is damaged.`,
		Example: `  fastpay journal inspect server1.data
  fastpay journal inspect --json server1.data | jq '.journals[].records_by_shard'`,
		Args: exactly(1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAudit(cmd, args[0], audit.Options{}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// newVerifyCommand is "journal verify": whether it is right.
func newVerifyCommand() *cobra.Command {
	var asJSON bool
	var committeeFile, accountsFile string
	cmd := &cobra.Command{
		Use:   "verify DIR --committee FILE",
		Short: "Check journals: every checksum and signature, all balances and credits",
		Long: `Verifies every checksum, checks every signature again, and keeps books of its own: from the oldest snapshot on, or
from the initial accounts if they are given and all segments are kept, each record must follow from those before it, and
link to those of its account; and at each later snapshot balances, sequence numbers, pending orders, links and credits
must be the same. Credits between the processes of an authority are compared too, while none of them runs: that each was
sent, arrived once, and is the same payment on both sides. With initial accounts, and all shards of an authority there,
what accounts have and what is under way must add up to what was put in. Without --committee votes are not checked.

Exit code 0 if all is well; what a crash leaves at the end is. Exit code 1 if something is damaged or wrong: it is
printed with file and offset, or with the record's position, and with what to do.`,
		Example: `  fastpay journal verify server1.data --committee committee.json
  fastpay journal verify server1.data --committee committee.json --initial-accounts initial_accounts.txt --json`,
		Args: exactly(1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := audit.Options{Verify: true}
			if committeeFile != "" {
				var err error
				if o.Committee, err = readCommittee(committeeFile); err != nil {
					return err
				}
			}
			if accountsFile != "" {
				accounts, err := readInitialAccounts(accountsFile)
				if err != nil {
					return err
				}
				o.Accounts = accounts.all()
			}
			return runAudit(cmd, args[0], o, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&committeeFile, "committee", "", "`FILE` of the committee whose votes are checked")
	flags.StringVar(&accountsFile, "initial-accounts", "", "`FILE` with lines ADDRESS:BALANCE, to begin the books with")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// runAudit prints what was found, and fails if something is wrong.
func runAudit(cmd *cobra.Command, dir string, o audit.Options, asJSON bool) error {
	r, err := audit.Audit(cmd.Context(), dir, o)
	if errors.Is(err, audit.ErrNone) {
		return withHint(err, "a server with --durability none keeps nothing; the directory is that of --data-dir")
	}
	if err != nil {
		return err
	}
	if asJSON {
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		err = out.Encode(r)
	} else {
		err = r.WriteText(cmd.OutOrStdout())
	}
	if err == nil && !r.OK() {
		err = errDamaged
	}
	return err
}
