// Package journal is the durable log of one authority process: records go in, group by group, and after a crash the
// same records come out, up to a point that is never before the last one that was reported durable.
//
// It knows nothing of payments. A record is bytes and the number of the shard that it belongs to. There is one journal
// for a process, because a sync costs the same for one record as for a thousand.
//
// # The contract
//  1. Append puts a batch into the group that fills, and says its position and the group's number. Nothing is durable
//     yet.
//  2. Commit writes that group and syncs it; meanwhile the next one fills. One group is in flight at most.
//  3. A group is durable once Durable reports its number, or a later one. Only then may anything leave the process that
//     depends on its records.
//  4. A write or sync that fails is final: no later group is written, every call returns the error, and the process has
//     to stop. After a failed sync the kernel may drop what it could not write, so a second sync that succeeds proves
//     nothing.
//  5. Open gives back every record, in order, and has made them durable again, in a file of their own, when it returns.
//     A group that a crash left half-written is dropped, and so was never durable. Damage anywhere else is an error.
//  6. A snapshot is bytes of the caller's that stand for all records before a point between two segments. It is made
//     from the one before it and from sealed segments, so it needs nothing that commits use. Open gives back the newest
//     snapshot that is whole, and the records after it.
//  7. Segments are removed only if no snapshot that is kept needs them. There are two of these, so that one may be
//     damaged.
//
// # Files
//
// A directory holds segments, NUMBER.log, and snapshots, SEGMENT.snapshot, by the segment of their point, all in 16 hex
// digits; and LOCK, which a process holds while it has the journal open. A segment is written with zeros and synced
// before it gets its name, so that no commit has to wait for the file system to allocate, and so that a named segment
// is never torn.
//
//	segment:  | header, 4096 bytes | group | group | ... | zeros up to the segment's size |
//
//	snapshot: | header, 4096 bytes | block | block | ... | end |
//
// Numbers are little-endian. A group begins at a multiple of 4096 bytes, and the rest of its last block is zeros: no
// block that holds durable data is ever written again, hence a torn write can't damage it. That costs a lone record
// 4096 bytes, and a group of hundreds a few percent.
//
//	header:   magic [8] | crc u32 | salt u32 | segment number u64 | segment size u64 | id [16] | identity length u32 |
//	          identity | zeros; crc covers all 4096 bytes but itself
//
//	group:    magic u32 | crc u32 | sequence u64 | last durable sequence u64 | length u32 | records u32 | record | ...
//	          crc covers sequence to the last record, beginning with the salt; length counts header and records
//
//	record:   length u32 | shard u32 | crc u32 | data
//	          crc covers length, shard and data; length counts the data
//
//	snapshot's header: magic [8] | crc u32 | 0 u32 | segment u64 | last group u64 | id [16] | identity length u32 |
//	          identity | zeros; crc covers all 4096 bytes but itself
//
//	block:    length u32 | crc u32 | data; crc covers length and data, going on from the crc of the block before, or
//	          the header's; all blocks but the last have 256 KiB of data
//
//	end:      0 u32 | crc u32 | bytes of data in all blocks u64
//
// The id is random, given when the journal is begun. It keeps apart what has the same identity: a file that comes from
// another journal is damage.
//
// All are CRC32C; package crc32c computes it. The group's salt, a secret random number of the segment, keeps a peer
// from placing bytes in a record that would pass for a group. The record's own crc serves Read, which reads one record
// and not its group.
//
// A group without records is written by Close: it ends a journal that was closed in good order, and vouches for the
// group before it.
//
// # Recovery
//
// Groups are numbered from 1 without a gap, and a group is written only after the one before it is durable. So a bad
// group is the torn end of the journal if no later one is whole, here or in a later segment; otherwise durable data was
// damaged, and Open fails with a CorruptError that names file and offset. The last group of all has nobody to vouch for
// it: damage to it can't be told from a torn write, unless Close wrote its mark after it.
//
// Segments before a snapshot's may be missing: a crash during their removal leaves any of them. One after it may not,
// and a snapshot tells that a group of its segment was durable. A snapshot has its name only after all of it is
// durable; if the newest is damaged nevertheless, the older one serves, from which on segments are kept.
//
// Segments are written, filled and read in pieces past the kernel's cache (O_DIRECT), if they are on a file system that
// has such a way. A certificate that is read back for a client goes through it.
//
// # Rejected
//
// Measured on a virtual disk of 90 us for a synced block, as CPU time for a segment of 32 MiB with 182 groups. All through
// the cache: 7 ms to fill it, 15 to write groups, 1 to read it for a snapshot; past it 3, 11 and 4, and no memory that
// the cache takes from others. Filling past the cache and writing groups through it: 3 and 18. Allocating without writing
// zeros: 20 to write groups, each of which waits for the file system's own log. Telling the kernel to read the next
// segment ahead (POSIX_FADV_WILLNEED): a fifth slower than plain reading.
//
// Under load (BenchmarkSaturated; figures are of four turns). A sync for each 8 MiB of zeros in place of each 2: 1 percent less
// time for a batch, which is noise, and none for a whole authority (297,200 payments a second for 299,300). One sync for all
// zeros: 2 percent less, but a commit that comes before it waits for up to 32 MiB to be flushed. Writing beyond the file's end
// in place of allocating first, and pieces of 1 MiB: no difference. Writing groups by a system call of which the runtime knows
// nothing: no better than yielding now and then, and a garbage collection would wait for a disk that hangs.
//
// # Where to read on
//
// The bytes are in doc.go, segment.go, group.go and snapshot.go; Append is in append.go, Commit and Run in commit.go,
// Open in recover.go, what it reads in scan.go, reading for snapshots in stream.go, removal in retention.go. FS is what
// the journal asks of a file system: Dir is a real one, with its direct way in direct_linux.go, MemFS one that can crash,
// FaultFS one that fails on demand.
package journal
