// Package authority is the core of an authority: the accounts of one shard, and what orders, certificates, credits, info
// requests and the Primary's transactions do to them (paper, section 4; this project's rules for what it leaves open).
//
// It is pure: no input or output, clock, goroutine, randomness, lock or map order. The same requests in the same order
// give the same replies and the same state, so the simulator runs what production runs. A Shard belongs to one goroutine.
//
// It checks no signatures. A request reaches it in steps:
//
//  1. Precheck refuses what needs neither signatures nor changing state.
//  2. The caller checks the signatures, many requests at once; KnownOrder and KnownVote tell which ones verified before.
//  3. Order, Certificate, Info and Credit apply the requests in the order of their arrival and encode the replies.
//  4. The caller signs the new votes, fills them into the replies, and gives them to Signed, which ends the batch.
//  5. What must be durable before replies leave is written at Outcome.
//
// The invariant: for each account and sequence number at most one order is ever signed; every certificate is debited
// once and credited once; repeating any request changes nothing. A balance may be negative for a while, because
// certificates arrive in any order.
//
// Memory: an account costs 96 bytes in chunks that never move, and 11 to 21 bytes in an index that grows in small pieces.
// Nothing holds a pointer, so a garbage collection does not walk accounts. Certificates are kept in a ring of fixed
// size; the oldest are forgotten. Nothing else grows for each payment, but for the credit memory, see Options.
//
// Start at Shard, then order.go and certificate.go. The Primary's side is in contract.go.
package authority
