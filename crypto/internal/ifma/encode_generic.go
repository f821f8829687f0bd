package ifma

import (
	"encoding/binary"
	"unsafe"
)

// rowPointer is the address of row l of rows that lie stride bytes apart.
func rowPointer(rows *byte, stride, l int) *byte {
	return (*byte)(unsafe.Add(unsafe.Pointer(rows), stride*l))
}

// row returns the size bytes of lane l of rows that lie stride bytes apart, as kernels address them.
func row(rows *byte, stride, l, size int) []byte {
	return unsafe.Slice(rowPointer(rows, stride, l), size)
}

// pack joins canonical limbs to 256 bits.
func (v lane) pack() (w [4]uint64) {
	for i := range w {
		w[i] = v[i]>>(13*i) | v[i+1]<<(limbBits-13*i)
	}
	return w
}

// unpack cuts the lower 255 bits into limbs.
func unpack(w [4]uint64) (v lane) {
	v[0] = w[0] & limbMask
	for i := 1; i < 4; i++ {
		v[i] = (w[i-1]>>(64-13*i) | w[i]<<(13*i)) & limbMask
	}
	v[4] = w[3] >> 12 & limbMask
	return v
}

func wordsOf(b []byte) (w [4]uint64) {
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return w
}

func putWords(b []byte, w [4]uint64) {
	for i := range w {
		binary.LittleEndian.PutUint64(b[8*i:], w[i])
	}
}

func encodeGeneric(out *Words, p *Point, inverse *Element) {
	for l := range Lanes {
		s, d, inv := p.Sum.lane(l), p.Diff.lane(l), inverse.lane(l)
		x, y := s.minus(d, biasTwice).carry(), s.plus(d).carry()
		x, y = product(&x, &inv).carry().canonical(), product(&y, &inv).carry().canonical()
		w := y.pack()
		w[3] |= x[0] << 63
		for i := range w {
			out[i][l] = w[i]
		}
	}
}

func matchRowsGeneric(w *Words, rows *byte, stride int) (equal uint64) {
	for l := range Lanes {
		if wordsOf(row(rows, stride, l, 32)) == [4]uint64{w[0][l], w[1][l], w[2][l], w[3][l]} {
			equal |= 1 << l
		}
	}
	return equal
}

func storeRowsGeneric(words *Words, rows *byte, stride int) {
	w := *words // rows may lie on it
	for l := range Lanes {
		putWords(row(rows, stride, l, 32), [4]uint64{w[0][l], w[1][l], w[2][l], w[3][l]})
	}
}

func unpackRowsGeneric(out *Element, rows *byte, stride int) (top uint64) {
	var e Element // not out, which may lie on rows
	for l := range Lanes {
		w := wordsOf(row(rows, stride, l, 32))
		e.setLane(l, unpack(w))
		top |= w[3] >> 63 << l
	}
	*out = e
	return top
}

func entriesGeneric(rows *byte, p *Point, inverse, d *Element, _ *[4]Element) {
	for l := range Lanes {
		s, f, inv, quarter := p.Sum.lane(l), p.Diff.lane(l), inverse.lane(l), d.lane(l)
		s, f = s.plus(s).carry(), f.plus(f).carry()
		s, f = product(&s, &inv).carry(), product(&f, &inv).carry()
		t := product(&s, &s).minus(product(&f, &f), biasRaw).carry()
		t = product(&t, &quarter).carry()
		out := row(rows, entryBytes, l, entryBytes)
		putWords(out, s.canonical().pack())
		putWords(out[32:], f.canonical().pack())
		putWords(out[64:], t.canonical().pack())
	}
}

func rootGeneric(x, r, check, u, sqrtM1 *Element, signs uint64, _ *[4]Element) (good uint64) {
	for l := range Lanes {
		plus, value, candidate := u.lane(l).canonical(), check.lane(l).canonical(), r.lane(l)
		isPlus, isMinus := value == plus, value.plus(plus).carry().canonical() == lane{}
		if isMinus {
			root := sqrtM1.lane(l)
			candidate = product(&candidate, &root).carry()
		}
		candidate = candidate.canonical()
		if candidate[0]&1 != signs>>l&1 {
			candidate = lane{}.minus(candidate, biasTwice)
		}
		x.setLane(l, candidate.carry())
		if isPlus || isMinus {
			good |= 1 << l
		}
	}
	return good
}

func zerosGeneric(e *Element) (zeros uint64) {
	for l := range Lanes {
		if e.lane(l).canonical() == (lane{}) {
			zeros |= 1 << l
		}
	}
	return zeros
}
