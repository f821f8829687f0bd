package journal

// streamWindow is how much streams have in memory: what was visited stays until as much less two pieces was read after it.
const streamWindow = 4 << 20

// window is the memory of streams that follow one another. What is read goes behind what was read before; where no room is
// left, at the front again.
type window struct {
	buf    []byte // all of it
	end    int    // of the newest piece
	pieces []piece
	leave  func(before Position) error // called before records of positions before that are overwritten; may be nil
}

// piece is where something is that was read at once, and where it ends in its segment.
type piece struct {
	from, to int
	end      Position
}

// room makes room for n bytes behind rest, the last ones of the newest piece. The result begins with rest, which is moved if
// need be; end is where it ends in the segment.
func (w *window) room(rest []byte, n int, end Position) ([]byte, error) {
	all := len(rest) + n
	from, to := w.end, w.end+n
	if to > len(w.buf) {
		from, to = 0, all
	}
	if err := w.free(from, to); err != nil {
		return nil, err
	}
	if all > len(w.buf) { // by a group of a larger group size, say
		w.buf, w.pieces = hugeBytes(all)[:all], nil
	}
	if from == 0 {
		copy(w.buf, rest)
	}
	w.pieces = append(w.pieces, piece{from, to, end})
	w.end = int(alignUp(int64(to)))
	return w.buf[to-all : to], nil
}

// free makes what is between two places room for something else, and all that was read before it.
func (w *window) free(from, to int) error {
	for i := len(w.pieces) - 1; i >= 0; i-- {
		if p := w.pieces[i]; p.from < to && p.to > from {
			w.pieces = append(w.pieces[:0], w.pieces[i+1:]...)
			return w.let(p.end)
		}
	}
	return nil
}

// let says that records before a position are in memory no longer.
func (w *window) let(before Position) error {
	if w.leave == nil {
		return nil
	}
	return w.leave(before)
}
