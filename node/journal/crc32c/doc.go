// Package crc32c computes the checksums of the journal: CRC32C, the Castagnoli polynomial, with the values of
// hash/crc32.
//
// It is here because hash/crc32 takes data of up to 500 bytes, as records are, 8 bytes at a time, each after the ones
// before. On a Zen 5 core, a record's checksum over 160 and 400 bytes takes 14 and 30 ns there and 6.5 and 10 here; that
// of a group of 170 KiB 5.8 us there and 2.9 here. Putting a group's checksum together from those of its records was not
// done: a multiplication for each, of which the next one waits, takes longer than reading the record.
//
// Invariants. The kernels (crc32c_amd64.s, written by the program in _asm, which says how they work) run only where the
// processor has what they need, decided once, at start. hash/crc32 does the work elsewhere, and for less than a word of
// data, and is the oracle of the tests. Nothing allocates, and no byte outside of the data is looked at.
package crc32c

//go:generate go run -C _asm . -out ../crc32c_amd64.s -stubs ../stubs_amd64.go -pkg crc32c
