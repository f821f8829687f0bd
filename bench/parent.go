package bench

import (
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
