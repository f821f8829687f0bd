package ifma

import (
	"testing"
	"unsafe"
)

// Kernel and twin walk the same plan through entries of any packed numbers.
func TestWalkVsTwin(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	const entries = 64
	memory := make([]byte, entries*entryBytes)
	base := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	const steps = maxSteps
	for range rounds(laneOperations / steps) {
		for at := 0; at < len(memory); at += 32 {
			b := randomEncoding(r)
			if r.IntN(4) == 0 {
				b = littleEndian(laneFrom(weirdLane(r, 1<<51).big()).big())
			}
			b[31] &= 0x7f
			copy(memory[at:], b[:])
		}
		p := &s.plans[0]
		for step := range steps {
			for l := range Lanes {
				p.address[step][l] = base + entryBytes*uint64(r.IntN(entries))
			}
			p.negative[step] = uint64(r.IntN(256))
		}
		var out, twin Point
		fetchFirst(p)
		walk(&out, p, p, steps, s, memory)
		if walkGeneric(&twin, p, steps, &s.constants.inverseTwoD, memory); out != twin {
			t.Fatalf("%x, twin %x", out, twin)
		}
		for _, e := range []*Element{&out.Sum, &out.Diff, &out.Z, &out.T} {
			requireClass(t, e, reducedLimit)
		}
	}
}
