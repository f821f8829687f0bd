package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"fastpay/bench"
)

// Exit codes, part of the interface. A measurement that can't be trusted has others, see bench.RunError.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run executes the command line args, whose first element is the name that the program was called by, and returns the
// exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal()
	defer stop()
	root := newRootCommand(filepath.Base(args[0]))
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(spreadValues(args[1:]))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	return report(stderr, cmd, err)
}

// lastAct, when there is one, is done before the program stops at once: it gives a terminal back.
var lastAct atomic.Pointer[func()]

// untilSignal is a context that the first signal ends: the command then stops in order. The second one stops the program at
// once, whatever hangs, also where a shell has made it ignore signals; processes that it started end with it.
func untilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if _, is := <-signals; !is {
			return
		}
		cancel()
		if _, is := <-signals; is {
			if f := lastAct.Load(); f != nil {
				(*f)()
			}
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}

// report prints why cmd failed and returns the exit code.
func report(stderr io.Writer, cmd *cobra.Command, err error) int {
	text := err.Error()
	for name := range strings.FieldsSeq(cmd.CommandPath()) {
		text = strings.TrimPrefix(text, name+": ") // of a package with the command's name
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "%s: interrupted: %s\n", cmd.CommandPath(), text)
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), text)
	if h, ok := errors.AsType[*hintError](err); ok {
		fmt.Fprintf(stderr, "hint: %s\n", h.hint)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "Run '%s --help' for its flags and an example.\n", cmd.CommandPath())
		return exitUsage
	}
	if result, ok := errors.AsType[*bench.RunError](err); ok {
		return result.ExitCode()
	}
	return exitFailure
}

// multiFlag is the one flag that takes several values after one mention, as the prototype's argument parser had it.
const multiFlag = "--server-configs"

// spreadValues turns "--server-configs A B" into "--server-configs=A --server-configs=B": the values end at the next
// argument that begins with a dash.
func spreadValues(args []string) []string {
	spread := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		if strings.ReplaceAll(args[i], "_", "-") != multiFlag {
			spread = append(spread, args[i])
			continue
		}
		first := i + 1
		for i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			spread = append(spread, multiFlag+"="+args[i])
		}
		if i < first {
			spread = append(spread, multiFlag) // without a value: the parser says so
		}
	}
	return spread
}
