// Package voi is the backend for processors without wide vector multiplication. Single signatures are checked by
// curve25519-voi; batches by this project's own arithmetic of package edwards.
//
//   - A vote of a member that has earned its table is checked alone, by two table walks (walk.go).
//   - Everything else shares one equation for the whole batch (equation.go), which is searched for the bad ones when it
//     does not hold (search.go).
//
// Both give the verdict of ZIP-215 on every signature. An equation holds although one of its signatures is bad with
// probability below 2^-125, whatever that signature is, since its coefficients are drawn after the batch is closed.
//
// Costs in µs of a Zen 4 core a signature, with the kernels of package edwards (generic: all alone by curve25519-voi, in
// the same run; it was shared with other work, so that ratios say more than figures):
//
//	                               batch     1     8    64   256  1024
//	vote, 20 keys with tables             8.2   5.4   5.2   5.4   5.5    generic 29
//	order, keys seen before                29    20    14  10.9   8.9    generic 29
//	order, new keys                        29    20    16  12.8  11.1
//	sign (batch 1, 16, 64)                 11         7.9         7.8    crypto/ed25519 23
//
//	batch of 1,024 with bad signatures      0     1     3    30   100 %
//	votes                                 5.4   5.4   5.6   6.6   9.3
//	orders (Zen 5)                        6.5  13.9  13.9  13.9  13.9
//
// Bad orders by known senders are checked each for itself by a comb of the key (768 bytes, 25 MB for all that the cache
// holds, 15 µs to make one), so that a batch of them takes 2.2 times as long as a good one. Senders get their combs a
// sixteenth of a batch at a time, which adds a seventh to it. A bad order of a sender who has none takes 2.9 times as long as
// a good one of a known sender, and 2.4 times as long as a good one of a new sender. Votes of others are not delayed by more than the
// bad votes themselves.
//
// Why curve25519-voi does not do more of it: its multiscalar functions allocate in every call and bring a vote to 6.1 µs
// at best, without saying which vote is bad; its exported point operations give no coordinates, so that every encoding has
// an inversion of its own (3.3 µs), and an addition takes 9 multiplications and 190 ns.
package voi
