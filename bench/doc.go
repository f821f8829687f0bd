// Package bench measures one authority of a committee, as the paper's experiments did: orders and certificates are made
// beforehand, sent over loopback with a bounded number in flight or at a rate, and every reply is verified. Or it measures a
// whole committee, whose certificates are made of its own votes, with authorities that fail.
//
// A run goes: Prepare makes keys, orders and certificates from a seed, or finds them in the cache (workload.go,
// prepare.go, cache.go). The authority starts, in a process of its own (process.go) or in this one (authority.go). A
// driver keeps the window of payments full (tcp.go, udp.go; drive.go and rounds.go have the course of a run), a meter counts
// (meter.go). Then all balances are read over the wire and must add up to what was minted (audit.go). The result (result.go)
// is the source of all text (text.go, report.go). A run measures whole payments or one phase of them alone (phase.go); a
// curve is several runs (curve.go); a profile becomes a budget (budget.go).
//
// In an open loop payments begin by a schedule (schedule.go, arrivals.go), and latency counts from when each was due; sweeps
// and searches are several such runs (sweep.go, search.go). A whole committee (committee.go) is processes that can be killed
// (cluster.go); payers.go drives it, over UDP with datagrams.go, and sends authorities what they missed (probe.go, archive.go);
// beside the payments go questions of payees, and a look at some credits (asides.go, questions.go, credits.go). Faults (fault.go) are
// real: fronts with the authorities' keys (front.go), bad ways (delayline.go), payers who pay twice (twice.go). Any other server
// that speaks the protocol can stand in the authority's place (peer.go); whatever it starts ends with this process (keeper.go).
//
// Beside its text a result becomes JSON, CSV, Markdown and a line of history (export.go, history.go). Results are compared with their
// noise (compare.go, spread.go, gate.go), those of two binaries in turn (interleave.go), and drawn on a page (page.go, pagesource.go,
// figure.go; package chart). What RESULTS.md shows is kept in a run directory (rundir.go, keeppaper.go), from which it is written whole
// (report.go); trace.go finds the file that each number there is from. Profiles are taken in runs of their own (profiles.go); doctor.go looks at the machine.
//
// The paper's evaluation (evaluation.go; its numbers and figures are package paper's) is a plan of such runs at some scale
// (evaluationplan.go, evaluationscale.go), of latencies of single payments through emulated ways (latency.go,
// latencyclient.go), and of times of operations (operations.go). Its folder is completed by the next call.
//
// The numbers are honest, or there are none. A payment counts when its vote is the one signature that the authority's key
// can make (Ed25519 is deterministic, and this package made the key) and the reply to its certificate shows that the
// sequence number moved. What was rejected, lost or sent again is printed beside the rate; a window that was short,
// unsteady or limited by the generator is flagged; a run that measured nothing is an error and not a table of zeros.
//
// It is no client for real money: the keys come from a public seed.
package bench
