package leaks

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// tests are some that leave something behind.
type tests func() int

func (f tests) Run() int { return f() }

// TestLeaksAreFound: a file, a socket, a pipe and a goroutine that are left fail tests that passed; what was there before,
// or ends soon, does not, and failed tests keep their code.
func TestLeaksAreFound(t *testing.T) {
	defer func(long time.Duration) { patience = long }(patience)
	patience = 100 * time.Millisecond
	name := filepath.Join(t.TempDir(), "file")
	before, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	var closers []func() error
	keep := func(c interface{ Close() error }, err error) {
		if err != nil {
			t.Fatal(err)
		}
		closers = append(closers, c.Close)
	}
	f := func(what string, want int, run tests) {
		t.Helper()
		if got := Checked(run).Run(); got != want {
			t.Errorf("%s: exit code %d, expected %d", what, got, want)
		}
		for _, c := range closers {
			if err := c(); err != nil {
				t.Error(err)
			}
		}
		closers = nil
	}
	f("nothing", 0, func() int { return 0 })
	f("failed tests", 3, func() int { return 3 })
	f("a goroutine that ends", 0, func() int { go func() {}(); return 0 })
	if descriptors() == nil {
		t.Skip("the system does not tell about descriptors")
	}
	f("a file", 1, func() int { keep(os.Open(name)); return 0 })
	f("a socket", 1, func() int { keep(net.ListenPacket("udp", "127.0.0.1:0")); return 0 })
	f("a pipe", 1, func() int {
		r, w, err := os.Pipe()
		keep(r, err)
		keep(w, err)
		return 0
	})
	end := make(chan struct{})
	f("a goroutine", 1, func() int { go func() { <-end }(); return 0 })
	close(end)
}
