package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fastpay/codec"
	"fastpay/node/client"
	"fastpay/node/committee"
)

// newClientCommand is "client": what owners of accounts do.
func newClientCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Make accounts, pay, ask for balances, and load a committee",
		Long: `The accounts file holds the keys of your accounts and what is known about them. Its owner alone can read it; it
is locked while a command runs, and replaced as a whole.`,
		Example: `  client --committee committee.json --accounts accounts.json create_accounts 1000 --initial-funding 100 >> initial_accounts.txt
  client --committee committee.json --accounts accounts.json query_balance ADDRESS
  client --committee committee.json --accounts accounts.json transfer 10 --from ADDRESS --to ADDRESS
  client --committee committee.json --accounts accounts.json benchmark`,
		Annotations: group,
		Args:        noSuchCommand,
		RunE:        showHelp,
	}
	flags := cmd.PersistentFlags()
	flags.String("committee", "", "`FILE` with the lines that 'server generate' printed, of all authorities")
	flags.String("accounts", "", "`FILE` with your accounts and their keys")
	flags.Var(newMicroseconds(client.DefaultTimeout), "send-timeout", "time to send a request, in `MICROSECONDS` or with a unit (4s)")
	flags.Var(newMicroseconds(client.DefaultTimeout), "recv-timeout", "time to wait for a reply, in `MICROSECONDS` or with a unit (4s)")
	flags.Int("buffer-size", codec.DefaultMaxMessage, "largest message in `BYTES`")
	cmd.AddCommand(newCreateAccountsCommand(), newQueryBalanceCommand(), newTransferCommand(), newReceiveCommand(),
		newClientBenchmarkCommand())
	return cmd
}

// session is an open client with its wallet and log.
type session struct {
	*client.Client
	committee *committee.Committee
	wallet    *client.Wallet
	log       *slog.Logger
}

// openSession reads the files that the flags of cmd name, and locks the wallet. An accounts file that is not there is an
// error unless the command may make one. The caller calls close.
func openSession(cmd *cobra.Command, mayMake bool) (*session, error) {
	log, err := newLogger(cmd, "client")
	if err != nil {
		return nil, err
	}
	flags := cmd.Flags()
	committeePath, _ := flags.GetString("committee")
	accountsPath, _ := flags.GetString("accounts")
	maxMessage, _ := flags.GetInt("buffer-size")
	if accountsPath == "" {
		return nil, required("--accounts FILE", "the file with your keys, for example --accounts accounts.json")
	}
	if maxMessage < minBufferSize || maxMessage > maxBufferSize {
		return nil, usagef("--buffer-size is %d: a message has room in %d to %d bytes", maxMessage, minBufferSize, maxBufferSize)
	}
	members, err := readCommittee(committeePath)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(accountsPath); err != nil && !mayMake {
		return nil, hintIfMissing(fmt.Errorf("accounts file: %w", err),
			"'client --committee FILE --accounts "+accountsPath+" create_accounts N' makes it")
	}
	wallet, err := client.OpenWallet(accountsPath)
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Options{
		Committee:   members,
		Wallet:      wallet,
		SendTimeout: timeout(cmd, "send-timeout"),
		RecvTimeout: timeout(cmd, "recv-timeout"),
		MaxMessage:  maxMessage,
		Logger:      log,
	})
	if err != nil {
		return nil, errors.Join(err, wallet.Close())
	}
	return &session{c, members, wallet, log}, nil
}

// close waits for the authorities that a finished quorum left behind, and unlocks the wallet.
func (s *session) close() {
	s.Close()
	if err := s.wallet.Close(); err != nil {
		s.log.Warn("can't unlock the wallet", "error", err)
	}
}

// The sizes of messages that a client takes: below, no certificate fits; above, a reply would be a burden.
const (
	minBufferSize = 1 << 10
	maxBufferSize = 16 << 20
)

// parseAccount reads an address from the command line.
func parseAccount(what, text string) (codec.Address, error) {
	address, err := codec.ParseAddress(text)
	if err != nil {
		return address, withHint(usagef("%s: %s", what, err),
			"an address is what create_accounts prints before the colon, 44 characters of base64")
	}
	return address, nil
}

// microseconds is a flag's value: a duration, a bare number counts microseconds as in the prototype.
type microseconds time.Duration

func newMicroseconds(d time.Duration) *microseconds { return (*microseconds)(&d) }

// Type is what the value is called in help.
func (*microseconds) Type() string { return "duration" }

// String is the value in microseconds.
func (d *microseconds) String() string {
	return strconv.FormatInt(time.Duration(*d).Microseconds(), 10)
}

// Set reads "4000000" or "4s".
func (d *microseconds) Set(text string) error {
	value, err := time.ParseDuration(text)
	if n, numberErr := strconv.ParseInt(text, 10, 64); numberErr == nil {
		value, err = time.Duration(n)*time.Microsecond, nil
		if value.Microseconds() != n {
			err = strconv.ErrRange
		}
	}
	if err != nil || value <= 0 {
		return fmt.Errorf("%q is no time above 0", text)
	}
	*d = microseconds(value)
	return nil
}

// timeout is the value of a flag of type microseconds.
func timeout(cmd *cobra.Command, flag string) time.Duration {
	return time.Duration(*cmd.Flags().Lookup(flag).Value.(*microseconds))
}
