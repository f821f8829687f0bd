// Package ifma is Ed25519 in eight lanes: every value is eight independent values, and every operation works on all of
// them at once, with the 52-bit multipliers of AVX-512 IFMA.
//
// It is the arithmetic below package crypto, which decides what is checked and how: nothing here hashes, and nothing
// else may import it. It is not a general library of the curve: operations exist because votes, orders or signing need
// them, and what they need is fast in groups of eight.
//
// # Ranges
//
// A field element has five limbs of 51 bits in words of 64. Carries are taken late, so limbs may be larger than 51
// bits. Every function states the class of its operands and of its result, each class being part of the next:
//
//	canonical  limbs below 2^51, value below p = 2^255-19
//	packed     limbs below 2^51: any number below 2^255
//	reduced    limbs below 2^51 + 2^18: after one pass of carries; value below 2p
//	loose      limbs below 2^52: what the multipliers take
//	raw        limbs below 2^60.1: products before carries, only in registers
//
//	mul, square        loose, loose    -> reduced
//	squareTimes        loose           -> reduced
//	add                loose, loose    -> reduced
//	sub                loose, reduced  -> reduced
//	raise, invert      loose           -> reduced
//	canonical, pack    reduced         -> canonical
//	unpackRows         any 255 bits    -> packed
//	addPoints          loose, loose    -> reduced
//	addMixed           loose, loose    -> reduced
//	doublePoint        loose           -> reduced
//	quadDouble/Add     loose, loose    -> reduced
//	encode, entries    reduced         -> canonical
//
// # Kernels and twins
//
// Every kernel f has three names: fIFMA in assembly, fGeneric in Go, and f, which is one of them, decided at start
// (Supported). The twin computes the same limbs, not only the same values, so tests compare bit by bit. The assembly is
// written by the program in _asm; see generate.go. KERNELS.md has the cost of each piece and what limits it.
//
// # Invariants
//
//   - A kernel call stays below 30 µs: assembly cannot be preempted, and the garbage collector waits for it.
//   - Nothing allocates after construction; callers pass a Scratch.
//   - A result may lie on any argument of an operation. Tables, buckets, and points that move to or from them are apart.
//   - Time and addresses depend on inputs everywhere except in signing (MultiplyBase), where neither does.
//
// # Where to read
//
// votes.go and tables.go check votes, sum.go and orders.go orders, sign.go multiplies the base point by secrets. The
// examples join them with package lanes, which hashes and computes with scalars. Below them are point.go (eight
// points), quad.go (two points by coordinates), field_generic.go (the arithmetic in plain words) and _asm.
package ifma
