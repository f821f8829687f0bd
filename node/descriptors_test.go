package node

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/codec"
)

// The limit of open files can only be lowered for good, so these tests run themselves again as a child process.
const (
	childTask  = "FASTPAY_TEST_CHILD"
	childFiles = 500
)

// child runs this test's binary again with a task for TestChild. It gives its standard output, and a way to tell it to
// go on.
func child(t *testing.T, task string) (out *bufio.Scanner, tell func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childTask+"="+task)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
		cancel()
	})
	return bufio.NewScanner(pipe), func() { _, _ = in.Write([]byte("now\n")) }
}

// want reads up to a line with this prefix and returns the rest of it.
func want(t *testing.T, out *bufio.Scanner, prefix string) string {
	t.Helper()
	for out.Scan() {
		if rest, ok := strings.CutPrefix(out.Text(), prefix); ok {
			return rest
		}
		if strings.HasPrefix(out.Text(), "bad:") {
			t.Fatal(out.Text())
		}
	}
	t.Fatalf("child ended without %q", prefix)
	return ""
}

// TestChild is no test of its own.
func TestChild(t *testing.T) {
	task := os.Getenv(childTask)
	if task == "" {
		t.Skip("the child of other tests")
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: childFiles, Max: childFiles}); err != nil {
		t.Fatal(err)
	}
	switch task {
	case "many connections", "no descriptors":
		shards := 85
		if task == "no descriptors" {
			shards = 1
		}
		w := newWorld(t, 4, shards, 600)
		n, err := Start(w.options())
		if err != nil {
			fmt.Println("bad:", err)
			return
		}
		fmt.Println("port", w.members[0].BasePort)
		go func() {
			fmt.Println("failed:", n.Wait())
		}()
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			fillDescriptors(0)
			fmt.Println("full")
		}
		_ = n.Stop(context.Background())
	case "start":
		startWithFewDescriptors(t)
	}
}

// fillDescriptors opens files until only so many descriptors are left.
func fillDescriptors(left int) (files []int) {
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		files = append(files, fd)
	}
	for ; left > 0 && len(files) > 0; left-- {
		_ = unix.Close(files[len(files)-1])
		files = files[:len(files)-1]
	}
	return files
}

func startWithFewDescriptors(t *testing.T) {
	failed := 0
	for left := range 24 {
		// Other ports each time: when one of its listeners can't be made, the event loop library leaves the others open.
		w := newWorld(t, 4, 2, 4)
		files := fillDescriptors(left)
		done := make(chan error, 1)
		go func() {
			o := w.options()
			o.Workers = 2
			n, err := Start(o)
			if err == nil {
				err = n.Stop(context.Background())
			} else {
				failed++
			}
			done <- err
		}()
		select {
		case err := <-done:
			fmt.Println("left", left, err)
		case <-time.After(patience):
			fmt.Println("bad: start hangs with", left, "descriptors left")
			return
		}
		for _, fd := range files {
			_ = unix.Close(fd)
		}
	}
	fmt.Println("failed", failed)
}

// TestStartWithFewDescriptors leaves so few that the start fails at each of its steps, the making of the event loop
// included, when it used to hang.
func TestStartWithFewDescriptors(t *testing.T) {
	out, _ := child(t, "start")
	if failed := want(t, out, "failed "); failed == "0" {
		t.Error("every start went well")
	}
}

// TestConnectionsLeaveDescriptors opens more connections to a node of many shards than it may have files. It used to count
// on fewer listeners, and to end when a descriptor for a connection was missing.
func TestConnectionsLeaveDescriptors(t *testing.T) {
	out, _ := child(t, "many connections")
	w := newWorld(t, 4, 85, 600)
	if _, err := fmt.Sscan(want(t, out, "port"), &w.members[0].BasePort); err != nil {
		t.Fatal(err)
	}
	first := w.dial(0)
	for i := range childFiles + 20 {
		w.dial(i % 85)
	}
	for range 3 {
		if m := first.ask(infoRequest(w, w.accountIn(0, 0))); m.Kind != codec.KindInfoResponse {
			t.Fatal("not served")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestFailedAcceptEndsTheNode: the event loop ends without an error when there is no descriptor for a connection. The
// node must not live on without it.
func TestFailedAcceptEndsTheNode(t *testing.T) {
	out, tell := child(t, "no descriptors")
	w := newWorld(t, 4, 1, 600)
	if _, err := fmt.Sscan(want(t, out, "port"), &w.members[0].BasePort); err != nil {
		t.Fatal(err)
	}
	tell()
	want(t, out, "full")
	// The node ends because of it, and may reset it before the call returns.
	if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(w.members[0].BasePort))); err == nil {
		defer c.Close()
	}
	if got := want(t, out, "failed:"); !strings.Contains(got, "out of file descriptors") {
		t.Errorf("failed with %s", got)
	}
}
