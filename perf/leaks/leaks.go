// Package leaks ends a package's tests: when all have passed, no goroutine may be left that they have started, and no
// descriptor that they have opened. It is called from TestMain, and no part of the program imports it:
//
//	func TestMain(m *testing.M) { os.Exit(leaks.Checked(m).Run()) }
package leaks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/goleak"
)

// Tests is what TestMain gets: *testing.M.
type Tests interface{ Run() int }

// Checked are tests that fail when they leave something behind; options are goleak's.
func Checked(m Tests, options ...goleak.Option) Tests { return &checked{m, options} }

type checked struct {
	Tests
	options []goleak.Option
}

// patience is how long descriptors may take to be closed; tests of this package have less of it.
var patience = 5 * time.Second

// Run returns the exit code.
func (c *checked) Run() int {
	before := descriptors()
	code := c.Tests.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(c.options...); err != nil {
		fmt.Fprintf(os.Stderr, "leaks: goroutines: %v\n", err)
		code = 1
	}
	if left := remaining(before); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "leaks: descriptors: %s\n", strings.Join(left, ", "))
		code = 1
	}
	return code
}

// remaining are the descriptors that were opened since, and that are not closed in time.
func remaining(before map[string]string) (left []string) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		left = left[:0]
		for number, what := range descriptors() {
			if before[number] != what {
				left = append(left, number+" is "+what)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

// descriptors are those that this process has open, by number: what they lead to. The runtime keeps an epoll and an event
// descriptor of its own once it has waited for any; they are left out. Nil where the system does not tell.
func descriptors() map[string]string {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	open := make(map[string]string)
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil || to == "anon_inode:[eventpoll]" || to == "anon_inode:[eventfd]" {
			continue // it was the descriptor of this listing, or is the runtime's
		}
		open[e.Name()] = to
	}
	return open
}
