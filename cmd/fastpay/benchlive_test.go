package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/bench"
)

func TestLiveTextHasTheLatencies(t *testing.T) {
	var v liveView
	m := bench.Moment{Text: "   3 s  1,000 tx/sec", PerSecond: 1000}
	m.Latency[11], m.Latency[12], m.Latency[20] = 50, 949, 1
	text := v.text(m)
	for _, want := range []string{"3 s  1,000 tx/sec\n", "rate         1,000/s  █\n", "< 2 ms ", "5.0 %, to here 5.00 %", "< 4 ms ██████████████████████████████ 94.9 %, to here 99.90 %",
		"< 1.0 s", "to here 100.00 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for range 100 {
		text = v.text(bench.Moment{})
	}
	if n := strings.Count(text, "▁"); n != topHistory {
		t.Errorf("%d intervals in\n%s", n, text)
	}
}

// terminal is a new one: what is written to it can be read.
func terminal(t *testing.T) (reader, tty *os.File) {
	reader, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here:", err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	number, err := unix.IoctlGetInt(int(reader.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(reader.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skip("no terminals here:", err)
	}
	return reader, tty
}

// lockedBuffer is written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestLiveOnATerminal shows a run on a screen of its own, and gives the old one back, at a run's end and at a second Ctrl-C; the
// result goes where it always does.
func TestLiveOnATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("runs an authority")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "bench")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	for _, interrupted := range []bool{false, true} {
		reader, tty := terminal(t)
		args := []string{"--protocol", "tcp", "--committee-size", "4", "--num-shards", "2", "--num-accounts", "100", "--no-history", "--no-cache",
			"--seed", fmt.Sprint(os.Getpid() << 1), "--live", "--rate", "500", "--seconds", "4"}
		if interrupted {
			args = append(args, "--seconds", "60", "--topology", "committee", "--faults", "silent:2", "--recv-timeout-us", "60000000")
		}
		cmd := exec.Command(link, args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, tty
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		screen := new(lockedBuffer)
		shown := make(chan error, 1)
		go func() { _, err := io.Copy(screen, reader); shown <- err }() // ends with an error when nobody has the terminal any more
		for deadline := time.Now().Add(time.Minute); !strings.Contains(screen.String(), "tx/sec"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("nothing is shown: %q", screen.String())
			}
		}
		if interrupted {
			for range 2 {
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		failure := cmd.Wait()
		<-shown
		text := screen.String()
		opened, closed := strings.Index(text, openScreen), strings.LastIndex(text, closeScreen)
		if opened < 0 || closed < opened {
			t.Fatalf("the screen is not opened, or not closed: %q", text)
		}
		if interrupted {
			if exit, is := errors.AsType[*exec.ExitError](failure); !is || exit.ExitCode() != exitInterrupted {
				t.Errorf("ended by %v", failure)
			}
			continue
		}
		if failure != nil || !strings.Contains(out.String(), "BenchmarkPayments/") {
			t.Errorf("%v:\n%s\n%q", failure, out.String(), text)
		}
		for _, want := range []string{"  rate  ", "< ", "to here 100.00 %", "signatures by", "shard 1"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not on the screen: %q", want, text)
			}
		}
	}
}
