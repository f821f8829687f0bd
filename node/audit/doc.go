// Package audit reads the journals of authorities apart from any node: what is in them, and whether it is right. It
// changes nothing and takes no lock, so it may look at the directory of a process that runs, or at a copy.
//
// Examine reads one journal once. With Options.Verify it keeps books of its own, from the oldest snapshot on, or from
// the initial accounts: each record must follow from those before it, and link to those of the same account that the
// books know; every signature is checked again, and at each later snapshot all balances, numbers, pending orders and links
// must be the same. These books share no code with the authority's; what they share is the reading of records and
// snapshots.
//
// Audit does that for all journals below a directory, and compares what one process of an authority sent with what
// another one has: that each debit has one credit, and the same; and, if the books of all shards begin with the initial
// accounts, that accounts and credits under way add up to what was put in.
//
// It is not a repair: it says what is wrong, where, and what to do.
//
// Start at Journal for what is found, then examine.go, book.go for the rules, logs.go for links, lane.go and pair.go for
// credits, signatures.go for the checks.
package audit
