package bench

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// quarters of a window, for what should not grow in it.
const quarters = 4

// rssEvery is how often resident memory is read in a window.
const rssEvery = 100 * time.Millisecond

// rssWatch reads this process's resident memory while a window lasts.
type rssWatch struct {
	stop chan struct{}
	done sync.WaitGroup
	peak []peak
	each int // readings that go into one peak
	last int // ... that are in the last one
}

// peak is the most memory that was resident in a part of the window.
type peak struct {
	at    time.Duration // since the window's begin
	bytes int64
}

// maxPeaks bounds what is kept; when it is full, neighbors become one.
const maxPeaks = 1024

func watchRSS() *rssWatch {
	w := newRSSWatch()
	began := time.Now()
	w.done.Go(func() {
		tick := time.NewTicker(rssEvery)
		defer tick.Stop()
		for {
			w.add(time.Since(began), residentBytes())
			select {
			case <-tick.C:
			case <-w.stop:
				w.add(time.Since(began), residentBytes())
				return
			}
		}
	})
	return w
}

func newRSSWatch() *rssWatch {
	return &rssWatch{stop: make(chan struct{}), peak: make([]peak, 0, maxPeaks), each: 1, last: 1}
}

func (w *rssWatch) add(at time.Duration, bytes int64) {
	if n := len(w.peak); w.last < w.each && n > 0 {
		w.last++
		w.peak[n-1].bytes = max(w.peak[n-1].bytes, bytes)
		return
	}
	w.last = 1
	if len(w.peak) == maxPeaks {
		w.each *= 2
		for i := range maxPeaks / 2 {
			a, b := w.peak[2*i], w.peak[2*i+1]
			w.peak[i] = peak{a.at, max(a.bytes, b.bytes)}
		}
		w.peak = w.peak[:maxPeaks/2]
	}
	w.peak = append(w.peak, peak{at, bytes})
}

// end stops watching and returns the peak of each quarter of the time since the start.
func (w *rssWatch) end() []int64 {
	close(w.stop)
	w.done.Wait()
	return byQuarter(w.peak)
}

// byQuarter is the largest reading in each quarter of the time from 0 to the last; a quarter without one has that of the
// quarter before, the first that of the first reading.
func byQuarter(readings []peak) []int64 {
	most := make([]int64, quarters)
	if len(readings) == 0 {
		return most
	}
	whole := readings[len(readings)-1].at + 1
	for _, r := range readings {
		q := int(r.at * quarters / whole)
		most[q] = max(most[q], r.bytes)
	}
	if most[0] == 0 {
		most[0] = readings[0].bytes
	}
	for q := 1; q < quarters; q++ {
		if most[q] == 0 {
			most[q] = most[q-1]
		}
	}
	return most
}

// residentBytes is this process's resident memory now, 0 when the kernel does not tell.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	return parseStatm(string(text), os.Getpagesize())
}

// parseStatm takes the second number, resident pages.
func parseStatm(text string, page int) int64 {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(page)
}
