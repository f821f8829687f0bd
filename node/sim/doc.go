// Package sim runs whole committees in one goroutine under one seed: the real cores of authorities, the real client
// driver, the real journal and links, and around them a network, disks, clients and adversaries that do the worst that
// the seed draws. The same seed gives the same history to the last bit, so whatever goes wrong can be looked at again.
//
// # The properties
//
// Checked at every step, at every correct authority:
//
//	S1   no two certificates with different content for one account and sequence number
//	S2   a correct authority never signs two different orders for one number, also across crash and recovery
//	S3   what is accepted has a quorum of distinct members' votes over the exact signed bytes
//	S4   money is neither made nor lost: every balance is what certificates and funding say
//	S5   no vote without the money, and no negative balance once everything has arrived
//	S6   every credit is applied exactly once, with messages between shards lost, repeated and reordered
//	S7   repeating a message, and asking, changes nothing
//	S8   nothing that was acknowledged is lost by a crash
//	S9   money moves only with its owner's signature
//	R1   no input panics
//
// And at the end, when the faults have stopped and all correct processes run:
//
//	L1   a valid order of a correct owner is certified, in bounded virtual time
//	L2   anyone with a certificate can settle it
//	L3   an authority that lags catches up
//	L4   who equivocates blocks his own account alone
//	S10  all correct authorities have the same state, which is that of the certificates in any order
//
// The checker (facts, books) is a second, naive implementation of the rules, which uses nothing of what it checks but
// decoded fields.
//
// # The parts
//
//   - World (world.go, queue.go, network.go) is the loop: events by virtual time.
//   - plan.go draws sizes, weights and fault rates from the seed.
//   - process (process.go, park.go, disk.go, snapshot.go, flip.go, restore.go, links.go, wire.go) is the shell around the cores of
//     one process of an authority.
//   - byzantine.go, colluder.go, forge.go are the adversary; its members sign anything for its owners.
//   - payer (payer.go, payee.go, errand.go) is a correct client with a wallet that survives its crashes. What a save
//     leaves on a real disk is not simulated; that is tried by node/client's tests of its file.
//   - bridge.go is the Primary.
//   - healing.go is the end of a world: liveness, then the comparison of all authorities.
//   - history.go is what clients have seen, which a test has Porcupine check: each account is a number and a balance that
//     change one payment at a time.
//
// The small world (small.go, small_global.go) is one that is explored whole, crashes included. FastPay.tla is the
// protocol as a model, for readers; nothing runs it.
//
// What the simulator does not run is the shell of a node: sockets, batches of signatures, queues between threads. Those
// have tests of their own.
//
// The adversary keeps the rules of cryptography by promise: signatures are cheap hashes by default, and it makes none
// with keys that it does not have. Options.Real takes Ed25519 instead.
//
// # Sabotage
//
// A checker that has never found anything proves nothing. Built with the tag sabotage the packages under test have
// deliberate bugs, each behind a switch, and a test demands that each is found; SABOTAGE.md has the list, and which function
// checks which property.
package sim
