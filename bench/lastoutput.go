package bench

import (
	"strings"
	"sync"
)

// lastOutput keeps the last peerTail bytes that are written, by whatever process.
type lastOutput struct {
	mu   sync.Mutex
	text []byte
}

func (t *lastOutput) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if n := len(t.text) - peerTail; n > 0 {
		t.text = t.text[:copy(t.text, t.text[n:])]
	}
	return len(b), nil
}

func (t *lastOutput) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
