// Package committee knows who the authorities are: their keys, weights and places, the thresholds that follow from the
// weights, which shard an address belongs to, and what a valid order, vote and certificate is.
//
// It is pure: no input or output, clock, goroutine or randomness. Files are parsed from and written to bytes. A Committee
// does not change once made and may be shared by goroutines.
//
// The invariant: every Committee that exists passed all checks of New. Keys are usable and differ, every weight is
// positive, no two members claim one port, and the thresholds are exact for its total weight.
//
// It is not where signatures are checked fast: a node checks them in batches (crypto.Verifier) after CheckShape. The
// checks with signatures here serve clients, tests and tools.
//
// Start at Committee, then CheckShape for the order in which a certificate's faults are found.
package committee
