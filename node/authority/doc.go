// Package authority is the core of an authority: the accounts of one shard, and what orders, certificates, credits, info
// requests and the Primary's transactions do to them (paper, section 4; this project's rules for what it leaves open).
//
// It is pure: no input or output, clock, goroutine, randomness, lock or map order. The same requests in the same order
// give the same replies, the same records and the same state, so the simulator runs what production runs. A Shard belongs
// to one goroutine.
//
// It checks no signatures. A request reaches it in steps:
//
//  1. Precheck refuses what needs neither signatures nor changing state.
//  2. The caller checks the signatures, many requests at once; KnownOrder and KnownVote tell which ones verified before.
//  3. Order, Certificate, Info and Credit apply the requests in the order of their arrival, append their records to the
//     Log, and encode the replies.
//  4. The caller signs the new votes, fills them into the replies, and gives them to Signed.
//  5. The caller brings the batch's records into its log; Rebase says where they are, and ends the batch.
//  6. What must be durable before replies leave is written at Outcome. A Reader finishes those that show certificates.
//
// The invariant: for each account and sequence number at most one order is ever signed; every certificate is debited
// once and credited once; repeating any request changes nothing. A balance may be negative for a while, because
// certificates arrive in any order.
//
// Certificates are not kept: they are in the log, and an account knows where its own are (chain.go). The log is the
// journal, or a Ring that forgets the oldest when nothing is to be durable. What a crash leaves of a journal becomes the
// same state again by Replay.
//
// Credits between shards have numbers, 1, 2, 3 for each pair, without gaps. The record of a debit issues the number, and
// the record of its credit is the receiver's cursor, so that a credit can be sent again as often as need be (outbox.go).
//
// Memory: an account costs 128 bytes in chunks that never move, and 11 to 21 bytes in an index that grows in small pieces.
// Nothing holds a pointer, so a garbage collection does not walk accounts. Nothing grows for each payment.
//
// Start at Shard, then order.go and certificate.go; record.go draws the records. The Primary's side is in contract.go.
package authority
