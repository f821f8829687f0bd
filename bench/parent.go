package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
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

// self is this program, started once more and driven through its standard input and output. Errors call it what.
type self struct {
	what string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// startSelf starts it with the arguments of a command; what it complains of goes to stderr.
func startSelf(what string, command []string, stderr io.Writer) (*self, error) {
	fail := func(err error) (*self, error) { return nil, fmt.Errorf("bench: start %s: %w", what, err) }
	exe, err := os.Executable()
	if err != nil {
		return fail(fmt.Errorf("find this program to start it again: %w", err))
	}
	s := &self{what: what, cmd: exec.Command(exe, command...)}
	s.cmd.Args[0] = "fastpay"
	s.cmd.Stderr = stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return fail(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	s.out = bufio.NewReader(out)
	if err := startProcess(s.cmd); err != nil {
		return fail(err)
	}
	return s, nil
}

// write sends it some bytes.
func (s *self) write(b []byte) error {
	if _, err := s.in.Write(b); err != nil {
		return fmt.Errorf("bench: %s ended: %w", s.what, err)
	}
	return nil
}

// tell sends it v as a line of JSON.
func (s *self) tell(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("bench: %s: %w", s.what, err)
	}
	return s.write(append(line, '\n'))
}

// command sends it a word in a line.
func (s *self) command(name string) error { return s.write([]byte(name + "\n")) }

// answer reads a line of JSON into v. failed points at what it says that went wrong there, "" for nothing.
func (s *self) answer(v any, failed *string) error {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("bench: %s ended: %w", s.what, err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("bench: answer of %s: %w", s.what, err)
	}
	if *failed != "" {
		return errors.New(*failed)
	}
	return nil
}

// ask sends it a word, and reads the answer.
func (s *self) ask(command string, v any, failed *string) error {
	if err := s.command(command); err != nil {
		return err
	}
	return s.answer(v, failed)
}

// end closes its input and waits for its end; it is killed if that does not come in time.
func (s *self) end(within time.Duration) error {
	_ = s.in.Close()
	kill := time.AfterFunc(within, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("bench: %s: %w", s.what, err)
	}
	return nil
}
