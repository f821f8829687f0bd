package ifma

import "unsafe"

// builder fills tables, eight entries at a time.
type builder struct {
	scratch *Scratch
	lanes   Point   // decoded points
	power   Point   // 2^(jw) times the point, the same in all lanes
	step    Point   // eight times that
	next    Point   // the eight multiples that come next
	groups  []Point // multiples of one window; T holds products of Z
}

// newBuilder returns a builder for tables of at most half entries a window.
func newBuilder(half uint64) *builder {
	const size = unsafe.Sizeof(Point{})
	memory := aligned(make([]byte, size*uintptr(half/Lanes)+cacheLineBytes), cacheLineBytes)
	return &builder{
		scratch: NewScratch(),
		groups:  unsafe.Slice((*Point)(unsafe.Pointer(unsafe.SliceData(memory))), half/Lanes),
	}
}

// table fills the table of the point in b.power, and leaves b.power multiplied.
func (b *builder) table(memory []byte, w *window) {
	for j := range w.count {
		b.window(memory[j*w.advance:(j+1)*w.advance], w)
		doubleTimes(&b.power, int(w.bits), &b.scratch.room)
	}
}

// window fills the entries of one window.
func (b *builder) window(memory []byte, w *window) {
	s := b.scratch
	memory[0], memory[32] = 1, 1 // entry 0: y+x = y-x = 1
	groups := b.groups[:w.half/Lanes]
	b.multiples()
	for g := range groups {
		groups[g] = b.next
		addPoints(&b.next, &b.next, &b.step, &s.constants.twoD, &s.room)
	}
	s.invertAll(groups)
	for g := range groups {
		p := &groups[g]
		entries(&memory[(1+Lanes*g)*entryBytes], p, &p.T, &s.constants.halfD, &s.room)
	}
}

// multiples sets b.next to 1, 2 ... 8 times b.power, and b.step to 8 times.
func (b *builder) multiples() {
	b.step, b.next = b.power, b.power
	for i := 1; i < Lanes; i++ {
		addPoints(&b.step, &b.step, &b.power, &b.scratch.constants.twoD, &b.scratch.room)
		for l := i; l < Lanes; l++ {
			b.next.setLane(l, &b.step)
		}
	}
}
