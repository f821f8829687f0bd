package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fastpay/node/client"
)

func TestSpreadValues(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := strings.Join(spreadValues(strings.Fields(in)), " "); got != want {
			t.Errorf("spreadValues(%q) = %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("benchmark --max-orders 3", "benchmark --max-orders 3")
	f("benchmark --server-configs a", "benchmark --server-configs=a")
	f("benchmark --server_configs a b c --max-orders 3",
		"benchmark --server-configs=a --server-configs=b --server-configs=c --max-orders 3")
	f("benchmark --server-configs=a b", "benchmark --server-configs=a b")
	f("benchmark --server-configs", "benchmark --server-configs")
	f("benchmark --server-configs --max-orders 3", "benchmark --server-configs --max-orders 3")
}

func TestMicroseconds(t *testing.T) {
	good := func(text string, want time.Duration) {
		t.Helper()
		d := newMicroseconds(time.Second)
		if err := d.Set(text); err != nil || time.Duration(*d) != want {
			t.Errorf("Set(%q) gives %v, %v; want %v", text, time.Duration(*d), err, want)
		}
	}
	bad := func(text string) {
		t.Helper()
		d := newMicroseconds(time.Second)
		if err := d.Set(text); err == nil || time.Duration(*d) != time.Second {
			t.Errorf("Set(%q) gives %v, %v", text, time.Duration(*d), err)
		}
	}
	good("4000000", 4*time.Second)
	good("1", time.Microsecond)
	good("250ms", 250*time.Millisecond)
	good("9223372036854775", 9223372036854775*time.Microsecond)
	bad("")
	bad("0")
	bad("-1")
	bad("-1s")
	bad("4 s")
	bad("9223372036854776")
	bad("99999999999999999999")
	if got := newMicroseconds(client.DefaultTimeout).String(); got != "4000000" {
		t.Errorf("the default is shown as %s", got)
	}
}

func TestEditDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := editDistance(a, b); got != want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := editDistance(b, a); got != want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", b, a, got, want)
		}
	}
	f("", "", 0)
	f("", "abc", 3)
	f("port", "port", 0)
	f("prot", "port", 2)
	f("shard", "shards", 1)
	f("kitten", "sitting", 3)
}

func TestParseShards(t *testing.T) {
	good := func(total int, want []int, values ...string) {
		t.Helper()
		if got, err := parseShards(values, total); err != nil || !slices.Equal(got, want) {
			t.Errorf("parseShards(%q, %d) = %v, %v; want %v", values, total, got, err, want)
		}
	}
	bad := func(total int, values ...string) {
		t.Helper()
		if got, err := parseShards(values, total); err == nil {
			t.Errorf("parseShards(%q, %d) = %v", values, total, got)
		}
	}
	good(4, nil)
	good(4, []int{3}, "3")
	good(4, []int{0, 2, 3}, "0,2-3")
	good(4, []int{0, 1, 2}, "0", "1-2")
	good(4, []int{0, 1, 3}, "3,0-1", "1")
	good(65535, []int{65534}, "65534")
	for _, value := range []string{"", ",", "4", "0-4", "3-2", "-1", "1-", "-", "0x1", "1 ", "99999999999999999999", "0,,1", "a"} {
		bad(4, value)
	}
}

// TestEveryCommandExplainsItself: each has a line of help, an example, and a text for each flag.
func TestEveryCommandExplainsItself(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		if cmd.Short == "" || cmd.Example == "" {
			t.Errorf("%s has no short help, or no example", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: nothing explains --%s", cmd.CommandPath(), f.Name)
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	root := newRootCommand("fastpay")
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" && cmd.Name() != "completion" { // these are the library's
			visit(cmd)
		}
	}
}
