package bench

import (
	"io"
	"os"
	"sync"
)

// turns lets several goroutines write to one place, a call at a time: this process tells of its progress, and what each
// child says is copied by a goroutine of its own.
type turns struct {
	mu sync.Mutex
	to io.Writer
}

// inTurns makes w safe for that. A file is as it is, and children get it as their own.
func inTurns(w io.Writer) io.Writer {
	switch w.(type) {
	case *os.File, *turns:
		return w
	}
	return &turns{to: w}
}

func (t *turns) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to.Write(b)
}
