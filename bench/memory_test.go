package bench

import (
	"slices"
	"testing"
	"time"
)

func TestPeaksByQuarter(t *testing.T) {
	f := func(want []int64, readings ...peak) {
		t.Helper()
		if got := byQuarter(readings); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", readings, got, want)
		}
	}
	f([]int64{0, 0, 0, 0})
	f([]int64{7, 7, 7, 7}, peak{0, 7})
	f([]int64{5, 9, 3, 4}, peak{0, 5}, peak{24, 2}, peak{25, 9}, peak{50, 3}, peak{99, 4})
	f([]int64{6, 6, 6, 6}, peak{90, 6}, peak{99, 2})
	f([]int64{5, 5, 5, 1}, peak{0, 5}, peak{99, 1})
}

// TestWatchKeepsPeaks adds more readings than are kept: none of the peaks may be lost.
func TestWatchKeepsPeaks(t *testing.T) {
	w := newRSSWatch()
	const n = 10 * maxPeaks
	for i := range n {
		v := int64(1)
		if i%(n/4) == n/8 {
			v = int64(100 + i/(n/4))
		}
		w.add(time.Duration(i), v)
	}
	if got := byQuarter(w.peak); !slices.Equal(got, []int64{100, 101, 102, 103}) || len(w.peak) > maxPeaks {
		t.Errorf("got %v from %d readings", got, len(w.peak))
	}
}

func TestResidentBytes(t *testing.T) {
	if got := parseStatm("300 25 10 1 0 5 0\n", 4096); got != 25*4096 {
		t.Errorf("got %d", got)
	}
	for _, bad := range []string{"", "300", "300 x 10"} {
		if got := parseStatm(bad, 4096); got != 0 {
			t.Errorf("%q: %d", bad, got)
		}
	}
	if got := residentBytes(); got < 1<<20 || got > 1<<40 {
		t.Errorf("this process has %d bytes", got)
	}
	w := watchRSS()
	if got := w.end(); len(got) != quarters || got[0] == 0 || got[3] == 0 {
		t.Errorf("quarters %v", got)
	}
}
