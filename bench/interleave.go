package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Interleave measures two binaries in turn, A B B A in each round, so that what drifts on the machine reaches both alike.
type Interleave struct {
	Binaries [2]string // files
	Flags    []string  // of bench
	Rounds   int       // of four runs
	Dir      string    // results go to its folders a and b
}

// DefaultRounds gives each side enough runs to tell its noise.
const DefaultRounds = 2

const (
	maxRounds = 1000
	// runEnds is how long a run may take to end after it was asked to.
	runEnds = 30 * time.Second
	// keptOutput is what is kept of a run's complaints.
	keptOutput = 4 << 10
	helpTime   = 10 * time.Second
)

// Run measures. When ctx is canceled the run under way ends early, and ctx's error is returned.
func (o *Interleave) Run(ctx context.Context, stderr io.Writer) (a, b *Side, err error) {
	if o.Rounds < 1 || o.Rounds > maxRounds {
		return nil, nil, fmt.Errorf("bench: %d rounds: expected 1 to %d", o.Rounds, maxRounds)
	}
	var sides [2]*Side
	var commands [2][]string
	for i, file := range o.Binaries {
		path, err := exec.LookPath(file)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("bench: binary: %w", err)
		}
		sides[i] = &Side{Name: file}
		commands[i] = benchCommand(ctx, path)
	}
	order := slices.Repeat([]int{0, 1, 1, 0}, o.Rounds)
	for n, i := range order {
		fmt.Fprintf(stderr, "Run %d of %d, %c: ", n+1, len(order), 'A'+i)
		file := filepath.Join(o.Dir, string(rune('a'+i)), fmt.Sprintf("%03d.json", n+1))
		r, err := o.runOne(ctx, commands[i], file)
		if err != nil {
			fmt.Fprintln(stderr, "failed")
			return nil, nil, err
		}
		fmt.Fprintf(stderr, "%s %s%s\n", grouped(int(r.RatePerSec)), r.unit().perSecond, r.verdict())
		sides[i].Results = append(sides[i].Results, r)
	}
	return sides[0], sides[1], nil
}

// benchCommand is how path is called as bench: through a link named bench it is that, and otherwise a command of it. A binary
// that records runs is told not to.
func benchCommand(ctx context.Context, path string) []string {
	command := []string{path}
	if filepath.Base(path) != "bench" {
		command = append(command, "bench")
	}
	ctx, cancel := context.WithTimeout(ctx, helpTime)
	defer cancel()
	help, _ := exec.CommandContext(ctx, path, append(command[1:], "--help")...).Output() // what is wrong shows when it runs
	if bytes.Contains(help, []byte("--no-history")) {
		command = append(command, "--no-history")
	}
	return command
}

// runOne runs bench once. Whatever the run's verdict is, its result counts; without a result it is an error.
func (o *Interleave) runOne(ctx context.Context, command []string, file string) (*Result, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) { // of an earlier comparison
		return nil, fmt.Errorf("bench: %w", err)
	}
	complaints := &tail{most: keptOutput}
	args := slices.Concat(command[1:], o.Flags, []string{"--json", file})
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Stderr = complaints
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = runEnds
	// A terminal's Ctrl-C is for this process, which hands it on. When this process is killed, so is the run: the kernel looks
	// at the thread that started it, so that must live as long.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	failure := cmd.Run()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := ReadResult(file)
	switch {
	case errors.Is(err, os.ErrNotExist) && failure != nil:
		return nil, fmt.Errorf("bench: %s: %w: %s", strings.Join(command, " "), failure, complaints)
	case err != nil:
		return nil, err
	}
	return r, nil
}

// tail keeps the last bytes that are written to it.
type tail struct {
	most int
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if extra := len(t.kept) - t.most; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.kept)) }
