package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"fastpay/perf/leaks"
)

// The stories in testdata/script run this binary by each of its names, as users do.
func TestMain(m *testing.M) {
	// The event loop library keeps a pool of idle goroutines for the life of the process.
	tests := leaks.Checked(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
	testscript.Main(tests, map[string]func(){"fastpay": main, "server": main, "client": main, "bench": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup:               setupScript,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ports":     freePorts,
			"listening": awaitPorts,
			"account":   accountOfLine,
			"exits":     exits,
			"signal":    signalProcesses,
			"get":       getURL,
		},
	})
}

// setupScript gives stories the README, whose commands one of them runs.
func setupScript(env *testscript.Env) error {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "README.md"), text, 0o644)
}

// Ports below the range that the kernel gives to clients, so that no connection of another test sits on them.
const (
	lowestPort  = 12000
	highestPort = 32000
)

var nextPort atomic.Int64 // offset from lowestPort

func init() { nextPort.Store(rand.Int64N(highestPort - lowestPort)) }

// freePorts VAR N sets VAR to the first of N ports in a row that are free for TCP and UDP.
func freePorts(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[len(args)-1])
	if neg || len(args) != 2 || err != nil {
		ts.Fatalf("usage: ports VAR N")
	}
	for range 1000 {
		first := int(nextPort.Add(int64(n))) - n // nobody else gets these
		base := lowestPort + first%(highestPort-lowestPort-n)
		if allFree(base, n) {
			ts.Setenv(args[0], strconv.Itoa(base))
			return
		}
	}
	ts.Fatalf("no %d free ports in a row", n)
}

func allFree(base, n int) bool {
	for port := base; port < base+n; port++ {
		l, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return false
		}
		_ = l.Close()
		p, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		if err != nil {
			return false
		}
		_ = p.Close()
	}
	return true
}

// startTimeout bounds how long servers may take to listen, on a machine that is busy with other tests.
const startTimeout = 60 * time.Second

// awaitPorts PORT N waits until N ports from PORT on accept.
func awaitPorts(ts *testscript.TestScript, neg bool, args []string) {
	base, err1 := strconv.Atoi(args[0])
	n, err2 := strconv.Atoi(args[len(args)-1])
	if neg || len(args) != 2 || err1 != nil || err2 != nil {
		ts.Fatalf("usage: listening PORT N")
	}
	deadline := time.Now().Add(startTimeout)
	for port := base; port < base+n; {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		switch {
		case err == nil:
			_ = conn.Close()
			port++
		case time.Now().After(deadline):
			ts.Fatalf("port %d does not accept after %v", port, startTimeout)
		default:
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// accountOfLine VAR FILE N sets VAR to the address in line N of an initial accounts file, counted from 1.
func accountOfLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: account VAR FILE N")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	lines := strings.Split(ts.ReadFile(args[1]), "\n")
	if n < 1 || n > len(lines) {
		ts.Fatalf("%s has no line %d", args[1], n)
	}
	address, _, ok := strings.Cut(lines[n-1], ":")
	if !ok {
		ts.Fatalf("%s:%d is no account: %q", args[1], n, lines[n-1])
	}
	ts.Setenv(args[0], address)
}

// exits CODE COMMAND... runs a command that must end with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// getURL ADDRESS/PATH makes a request over HTTP, again while the server is starting; the answer is what stdout then looks
// at.
func getURL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get ADDRESS/PATH")
	}
	var response *http.Response
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		var err error
		response, err = http.Get("http://" + args[0])
		ts.Check(err)
		if response.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			break
		}
		ts.Check(response.Body.Close())
	}
	_, err := io.Copy(ts.Stdout(), response.Body)
	ts.Check(errors.Join(err, response.Body.Close()))
}

// signalProcesses TERM|INT|KILL WORD sends a signal to the background processes that have WORD among their arguments.
func signalProcesses(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
	if neg || len(args) != 2 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal TERM|INT|KILL WORD")
	}
	found := false
	for _, cmd := range ts.BackgroundCmds() {
		if strings.Contains(" "+strings.Join(cmd.Args, " ")+" ", " "+args[1]+" ") {
			found = true
			ts.Check(cmd.Process.Signal(signals[args[0]]))
		}
	}
	if !found {
		ts.Fatalf("no background process has the argument %s", args[1])
	}
}
