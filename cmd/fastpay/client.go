package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fastpay/codec"
)

// defaultTimeout is the prototype's for sending and for receiving.
const defaultTimeout = 4 * time.Second

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
		Args: noSuchCommand,
		RunE: showHelp,
	}
	flags := cmd.PersistentFlags()
	flags.String("committee", "", "`FILE` with the lines that 'server generate' printed, of all authorities")
	flags.String("accounts", "", "`FILE` with your accounts and their keys")
	flags.Var(newMicroseconds(defaultTimeout), "send-timeout", "time to send a request, in `MICROSECONDS` or with a unit (4s)")
	flags.Var(newMicroseconds(defaultTimeout), "recv-timeout", "time to wait for a reply, in `MICROSECONDS` or with a unit (4s)")
	flags.Int("buffer-size", codec.DefaultMaxMessage, "largest message in `BYTES`")
	return cmd
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
