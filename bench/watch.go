package bench

import (
	"fmt"
	"slices"
	"strings"

	"fastpay/node"
)

// What can be looked at in a window beside what is always counted, each at a small cost.
const (
	// WatchMemory collects garbage now and then, and notes what is left.
	WatchMemory = "memory"
	// WatchPauses notes what replies took while a snapshot was being made and else, and how long event loops waited for a
	// CPU meanwhile.
	WatchPauses = "pauses"
)

// WatchKinds are all of them.
var WatchKinds = []string{WatchMemory, WatchPauses}

// ParseWatch reads a list of them with commas.
func ParseWatch(list string) (kinds []string, err error) {
	for kind := range strings.SplitSeq(list, ",") {
		if kind == "" && list == "" {
			return nil, nil
		}
		if !slices.Contains(WatchKinds, kind) || slices.Contains(kinds, kind) {
			return nil, fmt.Errorf("bench: watch %q: expected some of %s, each once", list, strings.Join(WatchKinds, ","))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// watches are those of a window, in the authority's process.
type watches struct {
	heap  *heapWatch // may be nil
	loops *loopWatch // may be nil
}

func startWatches(kinds []string, n *node.Node) (w watches, err error) {
	if slices.Contains(kinds, WatchPauses) {
		if w.loops, err = watchLoops(n); err != nil {
			return watches{}, err
		}
	}
	if slices.Contains(kinds, WatchMemory) {
		w.heap = watchHeap(n)
	}
	return w, nil
}

// end adds to s what they saw.
func (w watches) end(s *snapshot) {
	if w.heap != nil {
		s.Heap = w.heap.end()
	}
	if w.loops != nil {
		s.Loops, s.Snapshots = w.loops.end()
	}
}
