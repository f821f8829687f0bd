package node

import "fastpay/perf"

// nameThread names the calling thread, for tools for profiles and for the kernel's scheduler; that it has no name hurts nobody.
func (n *Node) nameThread(name string) {
	if err := perf.NameThread(name); err != nil {
		n.log.Debug("thread not named", "error", err)
	}
}
