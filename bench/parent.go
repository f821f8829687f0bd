package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// parent is a thread that starts processes and lives as long as this one: the kernel sends a child its signal of a dead
// parent when the thread ends that started it, and threads of this package end.
var parent = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// startProcess starts cmd in a process group of its own, so that Ctrl-C is for this process, which stops it in order.
// Should this process be killed, the kernel kills the child; what that started is up to it.
func startProcess(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	parent() <- func() { started <- cmd.Start() }
	return <-started
}

// self is this program, started once more and driven through its standard input and output.
type self struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startSelf starts it with the arguments of a command; what it complains of goes to stderr.
func startSelf(command []string, stderr io.Writer) (*self, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program to start it again: %w", err)
	}
	s := &self{cmd: exec.Command(exe, command...)}
	s.cmd.Args[0] = "fastpay"
	s.cmd.Stderr = stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	return s, startProcess(s.cmd)
}
