package bench

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"fastpay/perf/leaks"
)

// The test binary is also the authority's process, as the program itself is.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], AuthorityCommand) {
		if err := ServeAuthority(os.Stdin, os.Stdout, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if slices.Equal(os.Args[1:], GeneratorCommand) {
		if err := ServeGenerator(os.Stdin, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if slices.Equal(os.Args[1:], KeeperCommand) {
		if err := Keep(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if slices.Equal(os.Args[1:], AttackerCommand) {
		if err := ServeAttacker(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// gnet's pool of goroutines lives as long as the process.
	parent() // lives as long too
	os.Exit(leaks.Checked(m,
		goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock")).Run())
}
