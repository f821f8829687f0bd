package lanes

import (
	"math/big"
	"testing"
)

// digitEdges are scalars at which recoding has a limit: around 0, l, l/2, 2^251 with its c, and every power of two.
func digitEdges() [][32]byte {
	c := new(big.Int).Sub(bigOrder, new(big.Int).Lsh(one, 252))
	half := new(big.Int).Lsh(one, 251)
	at := []*big.Int{new(big.Int), bigOrder, new(big.Int).Rsh(bigOrder, 1), half, new(big.Int).Add(half, c),
		new(big.Int).Sub(new(big.Int).Lsh(one, 256), big.NewInt(3))}
	for bit := uint(0); bit < 256; bit++ {
		at = append(at, new(big.Int).Lsh(one, bit))
		for width := uint(MinWidth); width <= MaxWidth; width++ { // digits that all carry
			x := new(big.Int)
			for b := bit % width; b+width <= bit; b += width {
				x.Add(x, new(big.Int).Lsh(one, b+width-1))
			}
			at = append(at, x)
		}
	}
	var all [][32]byte
	for _, x := range at {
		for d := int64(-2); d <= 2; d++ {
			y := new(big.Int).Add(x, big.NewInt(d))
			if y.Sign() < 0 || y.BitLen() > 256 {
				continue
			}
			b := y.FillBytes(make([]byte, 32))
			var s [32]byte
			for i := range s {
				s[i] = b[31-i]
			}
			all = append(all, s)
		}
	}
	for len(all)%Lanes != 0 {
		all = append(all, [32]byte{})
	}
	return all
}

// checkDigits compares with the twin, and the twin with the definition if asked to.
func checkDigits(t *testing.T, s *[Lanes]*[32]byte, width int, definition bool, scratch *Scratch) {
	t.Helper()
	var got, want [(252 + MinWidth - 1) / MinWidth][Lanes]int16
	n := Windows(width)
	canonical := Digits(got[:n], s, width, scratch)
	if twin := digits8Generic(&want[0], &s[0], &halves[width], uint64(width), uint64(n)); twin != canonical || got != want {
		t.Fatalf("width %d: got %08b %v, want %08b %v", width, canonical, got[:n], twin, want[:n])
	}
	if !definition {
		return
	}
	for l := range s {
		x := fromBytes(s[l][:])
		if (canonical>>l&1 == 1) != (x.Cmp(bigOrder) < 0) {
			t.Fatalf("%x: canonical bits %08b", x, canonical)
		}
		sum := new(big.Int)
		for j := n - 1; j >= 0; j-- {
			if d := got[j][l]; d > 1<<(width-1) || d < -1<<(width-1) {
				t.Fatalf("width %d: digit %d of %x is %d", width, j, x, d)
			}
			sum.Lsh(sum, uint(width)).Add(sum, big.NewInt(int64(got[j][l])))
		}
		if canonical>>l&1 == 0 {
			x.SetInt64(0)
		}
		if sum.Sub(sum, x).Mod(sum, bigOrder).Sign() != 0 {
			t.Fatalf("width %d: digits of %x do not sum to it", width, x)
		}
	}
}

func TestDigitsMatchDefinitionAtEdges(t *testing.T) {
	scratch := new(Scratch)
	all := digitEdges()
	for width := MinWidth; width <= MaxWidth; width++ {
		for i := 0; i < len(all); i += Lanes {
			if testing.Short() && i%5 != 0 {
				continue
			}
			var s [Lanes]*[32]byte
			for l := range s {
				s[l] = &all[i+l]
			}
			checkDigits(t, &s, width, true, scratch)
		}
	}
}

func TestDigitsMatchGeneric(t *testing.T) {
	r := newRand(t)
	scratch := new(Scratch)
	widths := []int{8, 10, 12, 14, 13, 4, 15}
	var values [Lanes][32]byte
	var s [Lanes]*[32]byte
	for l := range s {
		s[l] = &values[l]
	}
	for i := range ops(laneOps) / Lanes {
		for l := range values {
			var w [4]uint64
			for j := range w {
				w[j] = weirdWord(r)
			}
			if r.IntN(4) > 0 {
				w[3] &= topMask | 1<<topBits
			}
			putWords(&values[l], &w)
		}
		checkDigits(t, &s, widths[i%len(widths)], i%50 == 0, scratch)
	}
}

func TestDigitsSameScalarInAllLanes(t *testing.T) {
	v := randomScalars(newRand(t), 1)[0]
	s := [Lanes]*[32]byte{&v, &v, &v, &v, &v, &v, &v, &v}
	checkDigits(t, &s, 12, true, new(Scratch))
}

func sumBytes(digits []int8) *big.Int {
	sum := new(big.Int)
	for j := len(digits) - 1; j >= 0; j-- {
		sum.Lsh(sum, 8).Add(sum, big.NewInt(int64(digits[j])))
	}
	return sum
}

func TestByteDigitsMatchDefinition(t *testing.T) {
	r := newRand(t)
	limit := new(big.Int).Lsh(one, 253)
	check := func(s *[32]byte) {
		x := fromBytes(s[:])
		if x.Cmp(limit) > 0 {
			return
		}
		var digits [32]int8
		ByteDigits(&digits, s)
		if sumBytes(digits[:]).Cmp(x) != 0 || digits[31] < 0 || digits[31] > 32 {
			t.Fatalf("digits of %x: %v", x, digits)
		}
		var z [16]byte
		copy(z[:], s[:])
		z[15] &= 0x3f
		checkCoefficientDigits(t, &z)
	}
	for _, s := range digitEdges() {
		check(&s)
	}
	for range ops(laneOps) {
		var s [32]byte
		weirdScalar(&s, r)
		s[31] &= 0x1f
		check(&s)
	}
	// A low half whose digits all carry: the carry goes into digit 16, the first of the multiple by 2^128.
	s := [32]byte{}
	for i := range 16 {
		s[i] = 0xff
	}
	var digits [32]int8
	if ByteDigits(&digits, &s); digits[0] != -1 || digits[15] != 0 || digits[16] != 1 {
		t.Fatalf("2^128 - 1: %v", digits)
	}
	s[0], s[15] = 0x80, 0x7f
	if ByteDigits(&digits, &s); digits[0] != -128 || digits[15] != -128 || digits[16] != 1 {
		t.Fatalf("carry through all digits of the low half: %v", digits)
	}
}

func checkCoefficientDigits(t *testing.T, z *[16]byte) {
	t.Helper()
	var digits [16]int8
	if CoefficientDigits(&digits, z); sumBytes(digits[:]).Cmp(fromBytes(z[:])) != 0 {
		t.Fatalf("digits of coefficient %x: %v", *z, digits)
	}
}

// TestCoefficientDigitsLimit holds up to the largest number that needs no 17th digit, far above 2^126.
func TestCoefficientDigitsLimit(t *testing.T) {
	var z [16]byte
	for i := range z {
		z[i] = 0x7f
	}
	checkCoefficientDigits(t, &z)
	for i := range z {
		z[i] = 0xff
	}
	z[15] = 0x3f // 2^126 - 1
	checkCoefficientDigits(t, &z)
	z[15] = 0x7e // just below 2^127 - 2^120
	checkCoefficientDigits(t, &z)
}

func TestDigitsDoNotAllocate(t *testing.T) {
	v := randomScalars(newRand(t), 1)[0]
	s := &[Lanes]*[32]byte{&v, &v, &v, &v, &v, &v, &v, &v}
	dst, scratch := make([][Lanes]int16, Windows(12)), new(Scratch)
	var bytes [32]int8
	if n := testing.AllocsPerRun(20, func() {
		Digits(dst, s, 12, scratch)
		ByteDigits(&bytes, &v)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDigitsRefuseWrongSizes(t *testing.T) {
	v := [32]byte{}
	s := [Lanes]*[32]byte{&v, &v, &v, &v, &v, &v, &v, &v}
	for _, c := range []struct{ width, windows int }{{3, 84}, {16, 16}, {12, 20}, {12, 22}, {12, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("width %d with %d windows was taken", c.width, c.windows)
				}
			}()
			Digits(make([][Lanes]int16, c.windows), &s, c.width, new(Scratch))
		}()
	}
}
