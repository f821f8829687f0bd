package perf

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestNameThread: the name is the thread's own.
func TestNameThread(t *testing.T) {
	nameOf := func(id int) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/comm", id))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := nameOf(ThreadID())
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := NameThread("a name of more than 15 bytes"); err != nil {
			t.Error(err)
		}
		if got := nameOf(ThreadID()); got != "a name of more \n" {
			t.Errorf("the thread is called %q", got)
		}
	}()
	<-done
	if after := nameOf(ThreadID()); after != before {
		t.Errorf("another thread is called %q, was %q", after, before)
	}
}
