package bench

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"fastpay/node"
)

// LiveHeap is what an authority's process keeps in memory over a window. Each point is taken right after a collection of
// garbage, when no snapshot is being made, or one has just begun: it needs memory for the accounts that it changes, and leaves
// none. Before the first snapshot there are none: what is made once, such as batches that wait for the disk, is there then.
type LiveHeap struct {
	Points          []HeapPoint `json:"points"`
	BytesPerPayment float64     `json:"bytes_per_payment"` // slope of the line through the points, by least squares
	StandardError   float64     `json:"standard_error"`    // of that
}

// HeapPoint is one moment.
type HeapPoint struct {
	Payments      uint64 `json:"payments"` // settled since the start
	Snapshots     uint64 `json:"snapshots"`
	LiveBytes     int64  `json:"live_bytes"`     // of the heap
	ResidentBytes int64  `json:"resident_bytes"` // of the process, before the collection
}

const (
	// heapEvery is how long points are apart at least.
	heapEvery = 500 * time.Millisecond
	// heapLook is how often it is looked whether a snapshot has ended.
	heapLook = time.Millisecond
	// maxHeapPoints bounds them: an hour.
	maxHeapPoints = 7200
)

type heapWatch struct {
	stop   chan struct{}
	done   sync.WaitGroup
	points []HeapPoint
}

func watchHeap(n *node.Node) *heapWatch {
	w := &heapWatch{stop: make(chan struct{})}
	w.done.Go(func() {
		tick := time.NewTicker(heapLook)
		defer tick.Stop()
		var last time.Time
		var snapshots uint64 // at the last look
		for len(w.points) < maxHeapPoints {
			select {
			case <-tick.C:
			case <-w.stop:
				return
			}
			made := n.Stats().Snapshots
			ended := made != snapshots
			snapshots = made
			if made > 0 && (ended || time.Since(last) >= heapEvery && !n.MakesSnapshot()) {
				w.look(n)
				last = time.Now()
			}
		}
	})
	return w
}

// look takes a point.
func (w *heapWatch) look(n *node.Node) {
	p := HeapPoint{ResidentBytes: residentBytes()}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s := n.Stats()
	p.LiveBytes, p.Payments, p.Snapshots = int64(memory.HeapAlloc), s.Certificates, s.Snapshots
	w.points = append(w.points, p)
}

func (w *heapWatch) end() []HeapPoint {
	close(w.stop)
	w.done.Wait()
	return w.points
}

// newLiveHeap is nil for fewer than three points: a line through two has no error.
func newLiveHeap(points []HeapPoint) *LiveHeap {
	if len(points) < 3 {
		return nil
	}
	h := &LiveHeap{Points: points}
	h.BytesPerPayment, h.StandardError = slope(points, func(p HeapPoint) (x, y float64) {
		return float64(p.Payments), float64(p.LiveBytes)
	})
	return h
}

// slope is that of the line through the points by least squares, and its standard error; 0 when all x are the same.
func slope[P any](points []P, of func(P) (x, y float64)) (slope, standardError float64) {
	n := float64(len(points))
	var meanX, meanY float64
	for _, p := range points {
		x, y := of(p)
		meanX, meanY = meanX+x/n, meanY+y/n
	}
	var xx, xy, yy float64
	for _, p := range points {
		x, y := of(p)
		x, y = x-meanX, y-meanY
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
	}
	if xx == 0 || n < 3 {
		return 0, 0
	}
	slope = xy / xx
	return slope, math.Sqrt(max(0, yy-slope*xy) / (n - 2) / xx)
}

// String is the slope and its error, with the range of the points.
func (h *LiveHeap) String() string {
	least, most := h.Points[0].LiveBytes, h.Points[0].LiveBytes
	for _, p := range h.Points {
		least, most = min(least, p.LiveBytes), max(most, p.LiveBytes)
	}
	return fmt.Sprintf("%+.2f ± %.2f bytes a payment; %.1f to %.1f MiB in %d points", h.BytesPerPayment, h.StandardError,
		float64(least)/(1<<20), float64(most)/(1<<20), len(h.Points))
}
