package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// defaultMetrics is the address of the examples.
const defaultMetrics = "127.0.0.1:9464"

// newBenchTopCommand is "bench top": a live view of authorities that serve metrics.
func newBenchTopCommand() *cobra.Command {
	interval, times := 1.0, 0
	cmd := &cobra.Command{
		Use:   "top [ADDRESS...]",
		Short: "Watch authorities live in a terminal",
		Long: `Shows, once a second, what authorities do that serve metrics ('server run --metrics ADDRESS', 'bench --metrics ADDRESS'): rates,
how long batches take, the load of each shard, CPU, memory and queues. On a terminal the view is rewritten until Ctrl-C; otherwise
one follows the other. An authority that is not there yet, or not any more, is waited for; with --times that is a failure.`,
		Example: `  fastpay bench --protocol tcp --seconds 60 --metrics 127.0.0.1:9464 &
  fastpay bench top

  # two authorities, one view of the last five seconds
  fastpay bench top 127.0.0.1:9464 127.0.0.1:9465 --interval 5 --times 1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(interval >= 0.05 && interval <= 3600) {
				return usagef("--interval %v: expected 0.05 to 3600 seconds", interval)
			}
			if times < 0 {
				return usagef("--times %d: expected 0, for no end, or more", times)
			}
			if len(args) == 0 {
				args = []string{defaultMetrics}
			}
			var views []*topView
			for _, address := range args {
				full, err := metricsURL(address)
				if err != nil {
					return err
				}
				views = append(views, &topView{address: full})
			}
			return watch(cmd.Context(), cmd.OutOrStdout(), views, time.Duration(interval*float64(time.Second)), times)
		},
	}
	flags := cmd.Flags()
	flags.Float64Var(&interval, "interval", interval, "`SECONDS` from view to view")
	flags.IntVar(&times, "times", times, "end after `N` views (default at Ctrl-C)")
	return cmd
}

// A terminal's other screen, without a cursor, and back.
const (
	openScreen  = "\x1b[?1049h\x1b[?25l"
	closeScreen = "\x1b[?25h\x1b[?1049l"
)

// watch shows all views at every interval, so many times. Ctrl-C is how it ends, and no failure.
func watch(ctx context.Context, out io.Writer, views []*topView, interval time.Duration, times int) error {
	f, isFile := out.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd()))
	if terminal { // a screen of its own, which leaves what was there before as it was
		fmt.Fprint(out, openScreen)
		defer fmt.Fprint(out, closeScreen)
	}
	clock := time.NewTicker(interval)
	defer clock.Stop()
	look(ctx, views)
	for shown := 0; times == 0 || shown < times; {
		select {
		case <-ctx.Done():
			return nil
		case <-clock.C:
		}
		text, some := look(ctx, views)
		if ctx.Err() != nil {
			return nil
		}
		if !some && times > 0 {
			return errors.New(strings.TrimSpace(text))
		}
		if terminal {
			fmt.Fprint(out, "\x1b[H"+strings.ReplaceAll(text, "\n", "\x1b[K\n")+"\x1b[J")
		} else {
			fmt.Fprint(out, text)
		}
		if some {
			shown++
		}
	}
	return nil
}

// look asks all for their metrics. some is false when none of them has any for two times.
func look(ctx context.Context, views []*topView) (text string, some bool) {
	var b strings.Builder
	for _, v := range views {
		now, err := readMetrics(ctx, v.address)
		if err != nil {
			v.before = nil
			fmt.Fprintf(&b, "%s: %s\n", v.address, reason(err))
			continue
		}
		shown := v.next(now)
		if shown == "" {
			continue
		}
		some = true
		b.WriteString(shown)
	}
	return b.String(), some
}

// reason is why a process has no metrics, without what the address says already.
func reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
