package committee

import (
	"cmp"
	"iter"
	"slices"
)

// quorumOf is floor(2W/3) + 1: more than two thirds of the weight, so that two quorums share an honest authority when
// less than a third is faulty. Written so that 2W can't overflow.
func quorumOf(total uint64) uint64 {
	if sabotaged("committee: a quorum of 2f") {
		return total / 3 * 2
	}
	return total/3*2 + total%3*2/3 + 1
}

// validityOf is floor((W+2)/3): a third of the weight, so that at least one honest authority is among them. Written so
// that W+2 can't overflow.
func validityOf(total uint64) uint64 { return total/3 + (total%3+2)/3 }

// StrongMajorityLowerBound is the largest x such that a quorum of weight gave values of x or more, 0 when fewer than a
// quorum gave any (paper, section 4.3: what a quorum surely knows). values yields a member's index and its value, each
// member at most once; the order does not matter, so slices.All and maps.All both serve.
func (c *Committee) StrongMajorityLowerBound(values iter.Seq2[int, uint64]) uint64 {
	type report struct{ value, weight uint64 }
	var reports []report
	for member, value := range values {
		reports = append(reports, report{value, c.members[member].Weight})
	}
	slices.SortFunc(reports, func(a, b report) int { return cmp.Compare(b.value, a.value) })
	weight := uint64(0)
	for _, r := range reports {
		if weight += r.weight; weight >= c.quorum {
			return r.value
		}
	}
	return 0
}
