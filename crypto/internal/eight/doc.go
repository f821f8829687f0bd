// Package eight is the backend for processors with AVX-512 IFMA: whole batches in eight lanes, put together from the curve
// arithmetic of package ifma and the hashing and scalar arithmetic of package lanes.
//
//   - Votes of members are checked one by one with two table walks (checker.go). A walk that does not give R byte by byte
//     leaves the verdict to the cofactored check.
//   - All other signatures share one equation (equation.go).
//   - Votes that a walk did not accept, and all signatures of an equation that does not hold, are checked each for itself,
//     eight side by side (single.go).
//   - Votes are signed in groups, in constant time (sign.go).
//
// What is too few to fill lanes is left to the scalar backend, so that there is no cliff, and every verdict is that of
// ZIP-215. Where the lines cross is measured (BenchmarkCrossover); KERNELS.md of the two packages below has the costs.
package eight
