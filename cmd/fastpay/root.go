package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fastpay/crypto"
)

// newRootCommand is the command for the name that the program was called by: one of the commands below, or all of them.
func newRootCommand(name string) *cobra.Command {
	commands := []*cobra.Command{newServerCommand(), newClientCommand(), newBenchCommand(), newDoctorCommand(),
		newJournalCommand(), newSimCommand(), newVersionCommand()}
	for _, cmd := range commands[:3] {
		if cmd.Name() == name {
			return prepare(cmd)
		}
	}
	root := &cobra.Command{
		Use:   "fastpay",
		Short: "Byzantine fault tolerant payments: authorities, a client and a benchmark",
		Long: `FastPay settles payments between accounts that a committee of authorities keeps. The client drives: it
collects the votes of a quorum of authorities for a signed transfer order, which makes a certificate, and
hands the certificate to all of them. Authorities never talk to each other.

The same binary is the command itself when called as server, client or bench, through a link.`,
		Example: `  # a committee of one, two accounts, a payment
  fastpay server --server server1.json generate --host 127.0.0.1 --port 9100 --shards 2 >> committee.json
  fastpay client --committee committee.json --accounts accounts.json create-accounts 2 --initial-funding 100 > initial.txt
  fastpay server --server server1.json run --initial-accounts initial.txt --committee committee.json &
  fastpay client --committee committee.json --accounts accounts.json transfer 10 --from FIRST --to SECOND`,
		Annotations: group,
		Args:        noSuchCommand,
		RunE:        showHelp,
	}
	root.AddCommand(commands...)
	return prepare(root)
}

// prepare gives a top-level command what all have: log flags, names with underscores, errors as values, and the refusal
// of a crypto backend that the environment names and that can't be had.
func prepare(root *cobra.Command) *cobra.Command {
	root.SilenceUsage = true
	root.SilenceErrors = true
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return crypto.Err() }
	addLogFlags(root.PersistentFlags())
	root.SetGlobalNormalizationFunc(dashes)
	root.InitDefaultHelpCmd()
	// A command that groups others runs only to say so: its usage is that of the others.
	const runs = `{{if and .Runnable (not (index .Annotations "group"))}}`
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", runs, 1))
	complete(root)
	root.CompletionOptions.HiddenDefaultCmd = root.Name() != "fastpay"
	return root
}

// dashes accepts the underscores of the prototype's scripts in the names of flags.
func dashes(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	b := []byte(name)
	for i := range b {
		if b[i] == '_' {
			b[i] = '-'
		}
	}
	return pflag.NormalizedName(b)
}

// group marks a command that has no work of its own.
var group = map[string]string{"group": "yes"}

// noSuchCommand is the Args of a command that only groups others: any argument is a mistyped command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usagef("unknown command %q", args[0])
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return withHint(err, fmt.Sprintf("did you mean %q?", near[0]))
	}
	return err
}

// showHelp is what a command that only groups others does: without arguments its help is the answer to a usage error.
func showHelp(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	if err := cmd.Help(); err != nil {
		return err
	}
	return usagef("a command is missing")
}
