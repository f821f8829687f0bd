// Command mutation asks of tests whether they would notice: it changes one thing in a package, a comparison, a number, a
// statement that is left out, and runs the package's tests. A change that they let pass survives.
//
//	go run ./node/_mutation -o results/mutation ./node/authority ./node/committee
//
// All changes of a package are compiled into one test binary, each behind a number that the environment chooses, and put
// over the source by the go command's overlay: no file is touched, and a change costs a run of the tests and no build. Tests
// that are fast run first. What survives is listed with its place; a file of places that were looked at, and why no test
// can see them, keeps them apart (equivalent.txt beside this file).
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// limits of a run.
const (
	testTimeout = 90 * time.Second // of the tests with one change; beyond it the change counts as noticed
	maxWorkers  = 64
)

func main() {
	out := flag.String("o", "results/mutation", "`FOLDER` for a JSON file for each package")
	workers := flag.Int("j", runtime.NumCPU(), "test processes at the same time, `N`")
	known := flag.String("equivalent", "node/_mutation/equivalent.txt", "`FILE` of changes that no test can see")
	only := flag.String("only", "", "changes of one `FILE:LINE`, or of one FILE")
	enough := flag.Duration("for", 24*time.Hour, "stop after this `TIME`; the next run of the same commit goes on")
	least := flag.Float64("least", 0, "exit with 1 if a lower `PERCENT` of the changes is noticed")
	flag.Parse()
	if flag.NArg() == 0 || *workers < 1 || *workers > maxWorkers {
		fmt.Fprintln(os.Stderr, "usage: go run ./node/_mutation [flags] PACKAGE...")
		flag.PrintDefaults()
		os.Exit(2)
	}
	if err := run(flag.Args(), *out, *known, *only, *workers, *enough, *least); err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

func run(packages []string, out, known, only string, workers int, enough time.Duration, least float64) error {
	ends := time.Now().Add(enough)
	equivalent, err := readEquivalent(known)
	if err != nil {
		return err
	}
	for _, dir := range packages {
		p, err := load(dir)
		if err != nil {
			return err
		}
		t, err := compile(p)
		if err != nil {
			return err
		}
		name := filepath.Join(out, filepath.Base(dir)+".json")
		r, err := t.try(only, workers, ends, before(name, dir))
		_ = os.RemoveAll(t.dir)
		if err != nil {
			return err
		}
		r.judge(equivalent)
		r.print(os.Stdout)
		if err := r.write(name); err != nil {
			return err
		}
		if r.Percent < least {
			return fmt.Errorf("%s: %.1f %% noticed, expected %.1f %%", dir, r.Percent, least)
		}
	}
	return nil
}
