// Command mutation asks of tests whether they would notice: it changes one thing in a package, a comparison, a number, a
// statement that is left out, and runs the package's tests. A change that they let pass survives.
//
//	go run ./node/_mutation -least 90 ./node/authority ./node/committee
//
// All changes of a package are compiled into one test binary, each behind a number that the environment chooses, and put
// over the source by the go command's overlay: no file is touched, and a change costs a run of tests and no build. It is a
// run of those that reach the place, as the coverage of each test alone tells, the quickest first. A change that no test
// can see is one of equivalent.txt, with the reason.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const maxWorkers = 64

// options are the flags.
type options struct {
	out, equivalent, only string
	workers               int
	enough                time.Duration
	least                 float64
	again, branch         bool
}

func main() {
	var o options
	flag.StringVar(&o.out, "o", "results/mutation", "`FOLDER` for a JSON file for each package")
	flag.IntVar(&o.workers, "j", runtime.NumCPU(), "test processes at the same time, `N`")
	flag.StringVar(&o.equivalent, "equivalent", "node/_mutation/equivalent.txt", "`FILE` of changes that no test can see")
	flag.StringVar(&o.only, "only", "", "changes of one `FILE:LINE`, or of one FILE")
	flag.BoolVar(&o.again, "again", false, "take over what the last run noticed: tests have only been added")
	flag.BoolVar(&o.branch, "branches", false, "change nothing; every place that refuses something must be reached by a test")
	flag.DurationVar(&o.enough, "for", 24*time.Hour, "stop after this `TIME`; with -again the next run goes on")
	flag.Float64Var(&o.least, "least", 0, "exit with 1 if a lower `PERCENT` of the changes is noticed")
	flag.Parse()
	if flag.NArg() == 0 || o.workers < 1 || o.workers > maxWorkers {
		fmt.Fprintln(os.Stderr, "usage: go run ./node/_mutation [flags] PACKAGE...")
		flag.PrintDefaults()
		os.Exit(2)
	}
	ends := time.Now().Add(o.enough)
	for _, dir := range flag.Args() {
		do := func() error { return o.run(dir, ends) }
		if o.branch {
			do = func() error { return o.branches(dir) }
		}
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, "mutation:", err)
			os.Exit(1)
		}
	}
}

// run tries the changes of one package.
func (o *options) run(dir string, ends time.Time) error {
	equivalent, err := readEquivalent(o.equivalent, dir)
	if err != nil {
		return err
	}
	p, err := load(dir)
	if err != nil {
		return err
	}
	t, err := compile(p)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(t.dir) }()
	if t.coverage, err = measure(dir, t.flags); err != nil {
		return err
	}
	name := filepath.Join(o.out, filepath.Base(dir)+".json")
	r := &result{Package: dir, Commit: commit(), Date: time.Now().UTC().Format(time.DateOnly), Changes: p.sites}
	earlier := last(name)
	var done map[string]bool
	if o.again {
		done = r.continues(&earlier, p)
	}
	err = t.try(func(c *change) bool {
		return !done[c.key()] && (o.only == "" || c.Place == o.only || strings.HasPrefix(c.Place, o.only+":"))
	}, o.workers, ends, r)
	if err != nil {
		return err
	}
	r.judge(equivalent)
	r.print(os.Stdout)
	if err := r.write(name); err != nil {
		return err
	}
	if r.Percent < o.least {
		return fmt.Errorf("%s: %.1f %% noticed, expected %.1f %%", dir, r.Percent, o.least)
	}
	return nil
}
