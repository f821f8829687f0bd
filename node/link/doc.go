// Package link is what two shards of one authority say to each other, so that a credit that left one is applied by the
// other exactly once: over any loss, repetition and reordering, and over crashes of either side at any moment.
//
// It is pure: no sockets, clocks, goroutines or disks. A Sender stands at the shard that takes money from an account, a
// Receiver at the one that gives it to another; each of the two directions between two shards is a link of its own. Who
// runs them moves bytes and keeps the numbers.
//
// # How it works
//
// Credits from one shard to another are numbered 1, 2, 3 and so on, without a gap, in the order in which their debits
// were made durable. The receiver writes a credit and its number in one record, so that the last number, its cursor,
// says exactly what was applied. A connection begins with the numbers of both sides:
//
//	sender                                  receiver
//	  | Hello: who, from, to, log, next,      |
//	  |        acknowledged, chain            |
//	  |-------------------------------------->|
//	  |              Welcome: cursor, chain   |
//	  |<--------------------------------------|   or Refusal, and the connection ends
//	  | Credit cursor+1, cursor+2, ...        |
//	  |-------------------------------------->|
//	  |        Acknowledgement: number, chain |
//	  |<--------------------------------------|   once they are durable there
//
// What is lost with a connection is sent again from the receiver's cursor, and a repeat has a number that the cursor
// has passed. The sender keeps what is not acknowledged, in its journal.
//
// # What must be durable, and when
//
//  1. The debit, with the credit's number: before Sender.Issued is told of it.
//  2. The credit, with its number and chain, in one record: before Receiver.Durable is told of it.
//  3. What was acknowledged: at some time. A sender that lost it sends less than nothing new.
//
// # A directory that was restored from an old copy
//
// Then numbers would be used twice, or credits be forgotten, and money with them. Three things are compared when a
// connection begins, and the connection is refused by both sides with a RefusedError that names the numbers:
//
//   - the cursor is beyond what the sender has issued: the sender has forgotten debits;
//   - the cursor is before what the sender knows to be acknowledged: the receiver has forgotten credits;
//   - the chains of the credits up to the cursor differ: the sender has forgotten debits, and has issued others since. A
//     Chain sums up all credits of a link up to a number.
//
// # Bytes
//
// Each message is a frame: u32 length of what follows, u8 kind, fields. Numbers are little-endian.
//
//	1 Hello            authority 32 | from u32 | to u32 | shards u32 | log 16 | next u64 | acknowledged u64 | chain u64
//	2 Welcome          log 16 | cursor u64 | chain u64
//	3 Credit           number u64 | certificate
//	4 Acknowledgement  number u64 | chain u64
//	5 Refusal          reason u8 | sender's number u64 | receiver's number u64
//
// Decoding is strict: other lengths and kinds, and anything behind a message, are refused.
//
// Start at Sender and Receiver; message.go has the bytes, refusal.go the reasons.
package link
