package node

import (
	"runtime"

	"fastpay/perf"
)

// onThread makes work have a thread of its own for good, with a name by which tools for profiles and for the kernel's
// scheduler tell it from others. The event loops have theirs from gnet.
func (n *Node) onThread(name string, work func()) func() {
	return func() {
		runtime.LockOSThread()
		n.nameThread(name)
		work()
	}
}

// nameThread names the calling thread; that it has no name hurts nobody.
func (n *Node) nameThread(name string) {
	if err := perf.NameThread(name); err != nil {
		n.log.Debug("thread not named", "error", err)
	}
}
