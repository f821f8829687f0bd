package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fastpay/node/committee"
)

// endToEnd is a small run against the real authority. Each test has a seed of its own: one authority runs once on a machine.
func endToEnd(seed uint64) Options {
	o := DefaultOptions()
	o.CommitteeSize, o.NumShards, o.NumAccounts, o.MaxInFlight = 4, 3, 200, 50
	o.Payments, o.NoCache, o.Seed = 500, true, seed<<32|uint64(os.Getpid())
	return o
}

func TestRunAgainstTheAuthority(t *testing.T) {
	for i, inProcess := range []bool{false, true} {
		t.Run("in-process="+strconv.FormatBool(inProcess), func(t *testing.T) {
			forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
				o := endToEnd(uint64(1 + 2*i + int(protocol)))
				o.Protocol, o.InProcess = protocol, inProcess
				var log bytes.Buffer
				r, err := Run(context.Background(), o, &log)
				if err != nil {
					t.Fatal(err, log.String())
				}
				if err := r.Err(false); err != nil {
					t.Fatal(err)
				}
				if r.PaymentsOK != 500 || r.OrdersOK != 500 || !r.Conserved || r.Rejected+r.Lost != 0 {
					t.Errorf("%d payments, %d orders, conserved %v, %d rejected, %d lost", r.PaymentsOK, r.OrdersOK, r.Conserved, r.Rejected, r.Lost)
				}
				if r.Node.Certificates < 500 || r.SignaturesPerPay < 3.9 || r.MeanBatch <= 0 || r.CPUUsPerPayment.Node <= 0 || r.PeakRSSBytes == 0 {
					t.Errorf("the authority's own counts: %+v", r.Node)
				}
			})
		})
	}
}

func TestProfilesOfTheAuthority(t *testing.T) {
	o := endToEnd(10)
	o.Protocol, o.Profiles, o.ProfileDir = committee.TCP, []string{"cpu", "mutex"}, t.TempDir()
	r, err := Run(context.Background(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu.pprof", "mutex.pprof"} {
		if info, err := os.Stat(filepath.Join(o.ProfileDir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(r.Profiles) != 2 || !strings.Contains(r.Profiles[0], "go tool pprof") {
		t.Errorf("hints %q", r.Profiles)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := endToEnd(11)
	o.NumShards, o.Port = 1, l.Addr().(*net.TCPAddr).Port
	if _, err := Run(context.Background(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

// testChild starts the authority's process by hand.
func testChild(t *testing.T, o Options) (cmd *exec.Cmd, in io.WriteCloser, ready childReply) {
	t.Helper()
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.expand(o.NumAccounts, 0)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe, AuthorityCommand...)
	cmd.Stderr = os.Stderr
	if in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(o.spec(w))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(append(append(spec, '\n'), addressBytes(w.accounts)...)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &ready); err != nil || ready.Error != "" || ready.Port == 0 {
		t.Fatalf("%s: %v", line, err)
	}
	return cmd, in, ready
}

func waitFor(t *testing.T, cmd *exec.Cmd, limit time.Duration) error {
	t.Helper()
	kill := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !kill.Stop() {
		t.Errorf("the authority's process did not end within %v", limit)
	}
	return err
}

func TestAuthorityEndsWithItsInput(t *testing.T) {
	cmd, in, ready := testChild(t, endToEnd(12))
	// Ctrl-C reaches all processes of a terminal; the parent decides.
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(ready.Port)))
	if err != nil {
		t.Fatalf("gone after SIGINT: %v", err)
	}
	_ = c.Close()
	if err := in.Close(); err != nil { // as the kernel does when a parent is killed
		t.Fatal(err)
	}
	if err := waitFor(t, cmd, 5*time.Second); err != nil {
		t.Error(err)
	}
}

// TestAuthorityIsReapedWhenItsParentIsKilled has a process in the middle, the parent, that is killed.
func TestAuthorityIsReapedWhenItsParentIsKilled(t *testing.T) {
	if os.Getenv("BENCH_TEST_PARENT") != "" {
		_, _, ready := testChild(t, endToEnd(13))
		_, _ = os.Stdout.WriteString(strconv.Itoa(ready.Port) + "\n")
		select {} // until killed
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestAuthorityIsReapedWhenItsParentIsKilled$")
	parent.Env = append(os.Environ(), "BENCH_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	address := net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = c.Close()
		}
		if time.Now().After(deadline) {
			t.Fatal("the authority outlives its parent")
		}
	}
}

func TestAuthorityRefusesBadInput(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":           "",
		"no specification":  "hello\n",
		"too many accounts": `{"accounts":99999999}` + "\n",
		"accounts missing":  `{"accounts":3}` + "\nxyz",
		"no members":        `{"accounts":0}` + "\n",
	} {
		var out bytes.Buffer
		err := ServeAuthority(strings.NewReader(in), &out, nil)
		var reply childReply
		if broken := json.Unmarshal(out.Bytes(), &reply); err != nil || broken != nil || reply.Error == "" || reply.Port != 0 {
			t.Errorf("%s: error %v, answered %q", name, err, out.String())
		}
	}
}

func TestUnknownCommandIsAnError(t *testing.T) {
	o := endToEnd(14)
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.expand(10, 0)
	a, err := startChild(o.spec(w), w.accounts, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.do("dance"); err == nil || !strings.Contains(err.Error(), "dance") {
		t.Errorf("got %v", err)
	}
	if _, err := a.begin(); err != nil {
		t.Errorf("after an unknown command: %v", err)
	}
	for range 2 {
		if err := a.stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestFreePortsAreFree(t *testing.T) {
	base, err := freePorts("127.0.0.1", 5)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(base+2)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if portsFree("127.0.0.1", base, 5) == nil {
		t.Error("a port in use is found free")
	}
	if portsFree("127.0.0.1", base, 2) != nil {
		t.Error("ports below it are not")
	}
}

func TestSecondBenchmarkWithTheSameSeed(t *testing.T) {
	o := endToEnd(15)
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.expand(10, 0)
	a, err := startLocal(o.spec(w), w.accounts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "another benchmark with seed") {
		t.Errorf("got %v", err)
	}
	if err := a.stop(); err != nil {
		t.Error(err)
	}
}
