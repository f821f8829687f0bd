package bench

import (
	"fmt"
	"strings"
)

const whatAttacks = `### Under attack

One authority behind real sockets; honest payers keep as many payments in flight as ever, or pay at a rate, every reply
verified, and attackers in a process of their own do what the row says. Turns without and with the attack alternate on one
authority; a share is the ratio of their medians, in brackets the least and the largest of a pair. Where a figure is asked
for, it is 90 % under idle and slow connections, and 80 % of the peak at three times what saturates. Attackers work on the same machine,
so what they and the kernel take of its CPUs is in these figures, too.
`

// renderAttacks is the part of a report with attacks.
func renderAttacks(all []*AttackResult) string {
	var b strings.Builder
	b.WriteString(whatAttacks)
	for _, r := range all {
		e := &r.Environment
		rate := "as fast as they are answered"
		if r.Rate > 0 {
			rate = grouped(int(r.Rate)) + " a second"
		}
		fmt.Fprintf(&b, "\n%s, %d cores, commit %s, %s. %d authorities, %d shards, durability %s; payments come %s, %s in flight at most; "+
			"%s hostile connections; turns of %g s.\n\n%s\n    %s\n", e.CPU, e.Cores, e.Commit, e.RecordedAt, r.CommitteeSize,
			r.NumShards, r.Durability, rate, grouped(r.MaxInFlight), grouped(r.Hostile), r.TurnSeconds, r.table(),
			strings.Join(r.Command, " "))
	}
	return b.String()
}
