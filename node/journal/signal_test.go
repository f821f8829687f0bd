package journal

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSignalCountsOnce gives a signal several times before it is taken.
func TestSignalCountsOnce(t *testing.T) {
	var s signal
	s.give()
	s.give()
	s.take()
	taken := make(chan struct{})
	go func() {
		s.take()
		close(taken)
	}()
	select {
	case <-taken:
		t.Fatal("a signal was taken twice")
	case <-time.After(10 * time.Millisecond):
	}
	s.give()
	<-taken
}

// TestSignalIsNeverLost has several goroutines count up and give; whoever takes must see the last count.
func TestSignalIsNeverLost(t *testing.T) {
	const givers, rounds = 4, 5000
	var (
		s     signal
		count atomic.Int64
	)
	var giving sync.WaitGroup
	defer giving.Wait()
	for range givers {
		giving.Go(func() {
			for range rounds {
				count.Add(1)
				s.give()
			}
		})
	}
	for count.Load() < givers*rounds { // a lost one would leave this asleep for ever
		s.take()
	}
}
