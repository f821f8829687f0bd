//go:build race

package journal

// thin is how much of a sweep is left out under the race detector, which makes it some ten times slower and has nothing
// to find in a test of one goroutine: one point of thin is tried.
const thin = 16
