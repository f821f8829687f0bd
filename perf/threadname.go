package perf

import (
	"fmt"
	"os"
)

// NameThread names the calling thread, to which the goroutine must be locked, for those who look at the threads of a process
// (top -H, perf sched). The kernel keeps the first 15 bytes.
func NameThread(name string) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/self/task/%d/comm", ThreadID()), []byte(name), 0); err != nil {
		return fmt.Errorf("perf: name a thread %s: %w", name, err)
	}
	return nil
}
