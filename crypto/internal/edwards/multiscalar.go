package edwards

// Term is one summand of a Sum: Scalar times an affine point. Size is how many bits the scalar may have: at most 253.
type Term struct {
	Point  *Niels
	Scalar Scalar
	Size   int
}

// Summer computes sums of many multiples of points. It keeps its memory, so that a sum of no more terms than an earlier
// one allocates nothing. One goroutine owns it. Nothing here is in constant time.
type Summer struct {
	nafs    [][nafDigits]int8
	tops    []int
	odd     [][8]Cached // 1, 3, 5 ... 15 times each point
	digits  []int16     // of all terms, term by term
	buckets []Point
	used    []bool
}

// Sum sets p to the sum of the terms.
func (s *Summer) Sum(p *Point, terms []Term) {
	if len(terms) < bucketTerms {
		s.interleave(p, terms)
	} else {
		s.bucket(p, terms, bucketWidth(len(terms)))
	}
}

// bucketTerms is the number of terms from which buckets cost less than interleaved non-adjacent forms (BenchmarkSum, where
// half of the terms have scalars of 126 bits and half of 253; a tenth less or more at twice or half the number).
const bucketTerms = 100

// interleave is Straus' method: all terms share the doublings, and each adds its odd multiples.
func (s *Summer) interleave(p *Point, terms []Term) {
	s.nafs = grow(s.nafs, len(terms))
	s.tops = grow(s.tops, len(terms))
	s.odd = grow(s.odd, len(terms))
	top := 0
	for i := range terms {
		s.tops[i] = terms[i].Scalar.nonAdjacent(&s.nafs[i])
		top = max(top, s.tops[i])
		oddMultiples(&s.odd[i], terms[i].Point)
	}
	p.Identity()
	doublings := 0 // not done yet: several in a row cost less
	for at := top - 1; at >= 0; at-- {
		for i := range terms {
			if s.tops[i] <= at || s.nafs[i][at] == 0 {
				continue
			}
			if doublings > 0 {
				p.Double(doublings)
				doublings = 0
			}
			digit, negative := s.nafs[i][at], uint64(0)
			if digit < 0 {
				digit, negative = -digit, 1
			}
			p.AddCached(&s.odd[i][digit/2], negative)
		}
		doublings++
	}
	if doublings > 1 { // one too many was counted after the last digits
		p.Double(doublings - 1)
	}
}

func oddMultiples(odd *[8]Cached, n *Niels) {
	var p, sum Point
	p.Identity()
	p.AddNiels(n, 0)
	odd[0].SetPoint(&p)
	sum = p
	p.Double(1)
	var twice Cached
	twice.SetPoint(&p)
	for i := 1; i < len(odd); i++ {
		sum.AddCached(&twice, 0)
		odd[i].SetPoint(&sum)
	}
}

// bucketWidth is the width of the windows for so many terms: wider ones mean fewer additions of terms and more of buckets.
func bucketWidth(terms int) int {
	switch {
	case terms < 300:
		return 5
	case terms < 700:
		return 6
	case terms < 1200:
		return 7
	case terms < 3000:
		return 8
	}
	return 9
}

// bucket is Pippenger's method: window by window, a term's point goes to the bucket of its digit there, and the buckets
// are summed with their weights.
func (s *Summer) bucket(p *Point, terms []Term, width int) {
	count := 0
	for i := range terms {
		count = max(count, windows(terms[i].Size, width))
	}
	s.digits = grow(s.digits, len(terms)*count)
	for i := range terms {
		digits := s.digits[i*count : (i+1)*count]
		used := windows(terms[i].Size, width)
		terms[i].Scalar.recode(digits[:used], width)
		clear(digits[used:])
	}
	half := 1 << (width - 1)
	s.buckets = grow(s.buckets, half)
	s.used = grow(s.used, half)
	p.Identity()
	for window := count - 1; window >= 0; window-- {
		if window != count-1 {
			p.Double(width)
		}
		s.fill(terms, count, window)
		s.collect(p)
	}
}

// fill adds every point to the bucket of its digit: bucket j holds the points with digits j+1 and, subtracted, -(j+1).
func (s *Summer) fill(terms []Term, count, window int) {
	clear(s.used)
	for i := range terms {
		digit := s.digits[i*count+window]
		if digit == 0 {
			continue
		}
		sign := uint64(uint16(digit) >> 15)
		at := int(digit) - 1
		if digit < 0 {
			at = -int(digit) - 1
		}
		if !s.used[at] {
			s.used[at] = true
			s.buckets[at].Identity()
		}
		s.buckets[at].AddNiels(terms[i].Point, sign)
	}
}

// collect adds Σ (j+1)·buckets[j] to p: the running sums from the top, added up.
func (s *Summer) collect(p *Point) {
	var running, sum Point
	running.Identity()
	sum.Identity()
	for j := len(s.buckets) - 1; j >= 0; j-- {
		if s.used[j] {
			running.Add(&s.buckets[j], 0)
		}
		sum.Add(&running, 0)
	}
	p.Add(&sum, 0)
}

// grow returns a slice of length n, keeping the memory of s when it is large enough. The content is whatever it was.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
