//go:build !linux

package journal

import "sync"

// A signal wakes the one goroutine that takes it. Given several times before it is taken, it counts once. Its zero value
// was not given.
type signal struct {
	mu      sync.Mutex
	isGiven bool
	awaited chan struct{} // closed when it is given; nil when nobody waits
}

func (s *signal) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isGiven = true
	if s.awaited != nil {
		close(s.awaited)
		s.awaited = nil
	}
}

// take waits until the signal was given since the last call.
func (s *signal) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.isGiven {
		awaited := make(chan struct{})
		s.awaited = awaited
		s.mu.Unlock()
		<-awaited
		s.mu.Lock()
	}
	s.isGiven = false
}

// given reports whether take would return at once.
func (s *signal) given() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isGiven
}
