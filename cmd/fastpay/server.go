package main

import "github.com/spf13/cobra"

// newServerCommand is "server": what an operator of an authority does.
func newServerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Make the key of an authority, and run it",
		Long: `An authority is made once, by generate, and described by one line of the committee file that all authorities
and clients share. Then it is run, by one process or by one for each of its shards.`,
		Example: `  server --server server1.json generate --host 127.0.0.1 --port 9100 --shards 4 >> committee.json
  server --server server1.json run --initial-accounts initial_accounts.txt --committee committee.json`,
		Annotations: group,
		Args:        noSuchCommand,
		RunE:        showHelp,
	}
	cmd.PersistentFlags().String("server", "", "`FILE` that holds the authority's key and address")
	cmd.AddCommand(newGenerateCommand(), newRunCommand(), newAddAccountsCommand())
	return cmd
}

// serverPath is the value of --server, which every server command needs.
func serverPath(cmd *cobra.Command) (string, error) {
	path, err := cmd.Flags().GetString("server")
	if err != nil {
		return "", err
	}
	if path == "" {
		return "", required("--server FILE", "the file that generate writes, for example --server server1.json")
	}
	return path, nil
}
