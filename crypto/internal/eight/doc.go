// Package eight is the backend for processors with AVX-512 IFMA: whole batches in eight lanes, put together from the curve
// arithmetic of package ifma and the hashing and scalar arithmetic of package lanes.
//
//   - Votes of members are checked one by one with two table walks (checker.go).
//   - All other signatures share one equation (equation.go), or, if they are few, are checked each for itself.
//   - The signatures of an equation that does not hold are checked each for itself too, eight side by side (search.go). With
//     any share of bad signatures a batch takes 2.2 times as long as a good one; the first bad one after many good batches
//     makes it 2.9, once.
//   - Votes are signed in groups, in constant time (sign.go).
//
// One vote alone is left to the scalar backend. There is no cliff at any size, and every verdict is that of ZIP-215. Where
// the lines cross is measured (BenchmarkVoteCrossover and others); KERNELS.md of the two packages below has the costs.
package eight
