package journal

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Stats are what was committed since Open, the mark of Close included.
type Stats struct {
	Groups  uint64
	Records uint64
	Bytes   uint64        // written, padding included; zeros of new segments are not
	Written time.Duration // in writing and syncing groups, together
	waits   [waitBuckets]uint64
}

// Quantile is how long writing and syncing a group took, for the fraction q of groups at most; up to a sixteenth too
// much. It is 0 if there was none.
func (s *Stats) Quantile(q float64) time.Duration {
	total := uint64(0)
	for _, n := range s.waits {
		total += n
	}
	rank := uint64(q * float64(total))
	for i, n := range s.waits {
		if n > 0 && rank < n {
			return waitOf(i)
		}
		rank -= min(rank, n)
	}
	return 0
}

// Times are counted in buckets, of which 16 divide each power of two nanoseconds, from 16 ns to 2^40 ns, 18 minutes.
const (
	waitBits    = 4
	waitBuckets = (40 - waitBits + 1) << waitBits
)

func waitBucket(d time.Duration) int {
	n := uint64(max(d, 1<<waitBits))
	shift := bits.Len64(n) - 1 - waitBits
	return min(shift<<waitBits+int(n>>shift), waitBuckets-1)
}

// waitOf is the longest time in a bucket.
func waitOf(bucket int) time.Duration {
	shift := max(bucket>>waitBits-1, 0)
	return time.Duration((bucket-shift<<waitBits+1)<<shift - 1)
}

// counters are written by the goroutine that commits, and read by any.
type counters struct {
	groups, records, bytes, written atomic.Uint64
	waits                           [waitBuckets]atomic.Uint64
}

func (c *counters) count(records, size int, took time.Duration) {
	c.groups.Add(1)
	c.records.Add(uint64(records))
	c.bytes.Add(uint64(size))
	c.written.Add(uint64(took))
	c.waits[waitBucket(took)].Add(1)
}

// Stats is cheap enough to be called each second, from any goroutine.
func (j *Journal) Stats() Stats {
	c := &j.counters
	s := Stats{Groups: c.groups.Load(), Records: c.records.Load(), Bytes: c.bytes.Load(),
		Written: time.Duration(c.written.Load())}
	for i := range c.waits {
		s.waits[i] = c.waits[i].Load()
	}
	return s
}
