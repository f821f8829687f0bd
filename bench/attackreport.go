package bench

import (
	"fmt"
	"slices"
	"strings"
)

const whatAttacks = `## Under attack

One authority behind real sockets; honest payers keep as many payments in flight as ever, or pay at a rate, every reply
verified, and attackers in a process of their own do what the row says. Turns without and with the attack alternate on one
authority; what is left is the ratio of the medians of their rates, in brackets the least and the largest of a pair. Attackers work
on the same machine, so what they and the kernel take of its CPUs is in these figures, too.
`

// renderAttacks is the part of a report with attacks: a table for all results that differ in nothing but the attacks.
func renderAttacks(all []*AttackResult) string {
	var b strings.Builder
	b.WriteString(whatAttacks)
	for rest := all; len(rest) > 0; {
		setting := rest[0].setting()
		var rows []*AttackRow
		var commands []*Result
		rest = slices.DeleteFunc(slices.Clone(rest), func(r *AttackResult) bool {
			if r.setting() != setting {
				return false
			}
			rows = append(rows, r.Rows...)
			commands = append(commands, &Result{Environment: r.Environment, Command: r.Command})
			return true
		})
		slices.SortStableFunc(rows, func(a, b *AttackRow) int { return attackNumber(a.Attack) - attackNumber(b.Attack) })
		fmt.Fprintf(&b, "\n%s\n\n", setting)
		renderRows(&b, rows)
		fmt.Fprintf(&b, "\n%s. `./bench.sh --attacks` repeats it. Each line alone:\n\n", measuredAt(commands...))
		renderCommands(&b, commands)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// attackNumber is that of the attack with this name.
func attackNumber(name string) int { return slices.Index(AttackNames(), name) }

// setting is what rows of one table share.
func (r *AttackResult) setting() string {
	rate := "as fast as they are answered"
	if r.Rate > 0 {
		rate = grouped(int(r.Rate)) + " a second"
	}
	return fmt.Sprintf("%s, %d cores. %d %s, %d %s, durability %s; payments come %s, %s in flight at most; %s hostile connections; turns of %g s.",
		r.Environment.CPU, r.Environment.Cores, r.CommitteeSize, plural(r.CommitteeSize, "member"), r.NumShards, plural(r.NumShards, "shard"), r.Durability, rate,
		grouped(r.MaxInFlight), grouped(r.Hostile), r.TurnSeconds)
}

// renderRows writes rows in Markdown that can be read as it is: figures, what was done, and overload.
func renderRows(b *strings.Builder, rows []*AttackRow) {
	b.WriteString("| Attack | Honest payments/s without / with | Left (pairs) | Asked for | p99, ms, without / with | " +
		"CPU µs a payment, without / with | Peak memory, MiB, without / with | Rejected / lost | Money conserved | Verdict |\n" +
		"|---|---|---|---:|---|---|---|---|---|---|\n")
	for _, r := range rows {
		if r.Skipped != "" {
			fmt.Fprintf(b, "| %s | | | | | | | | | skipped: %s |\n", r.Attack, r.Skipped)
			continue
		}
		asked := "-"
		if r.Least > 0 {
			asked = fmt.Sprintf("%.0f %%", 100*r.Least)
		}
		low, high := r.spread()
		fmt.Fprintf(b, "| %s | %s / %s | **%.1f %%** (%.1f to %.1f) | %s | %.1f / %.1f | %.2f / %.2f | %d / %d | %d / %d | %s | %s |\n", r.Attack,
			grouped(int(r.perSec(without))), grouped(int(r.perSec(with))), 100*r.Share, 100*low, 100*high, asked, r.p99(without),
			r.p99(with), r.cpuUs(without), r.cpuUs(with), r.PeakWithout>>20, r.PeakWith>>20, r.Rejected, r.Lost,
			yesNo(r.Conserved), r.verdict())
	}
	b.WriteString("\n| Attack | What it is | What was done |\n|---|---|---|\n")
	for _, r := range rows {
		if r.Skipped == "" {
			fmt.Fprintf(b, "| %s | %s | %s |\n", r.Attack, r.What, r.did())
		}
	}
	for _, r := range rows {
		if r.Overload != nil {
			r.Overload.render(b)
		}
	}
}

func (r *AttackRow) verdict() string {
	if len(r.Faults) == 0 {
		return "good"
	}
	return "**" + strings.Join(r.Faults, "; ") + "**"
}

// render is what came after the overload.
func (o *OverloadRow) render(b *strings.Builder) {
	if o.Impatient == nil || o.Patient == nil {
		return
	}
	b.WriteString("\nAfter an overload half of the peak comes. Most of what payers have begun is not even sent by then. The latency is back " +
		"when its p99 in\nslices of a tenth of a second is again about what it was at that rate before:\n\n" +
		"| Payers | Begun, not confirmed | of these not sent / in their sockets | Given up | p99 before, ms | Latency is back |\n" +
		"|---|---:|---|---:|---:|---|\n")
	for _, r := range []struct {
		who string
		*Recovery
	}{{"give up what they could not begin to send", o.Impatient}, {"wait for all of it", o.Patient}} {
		fmt.Fprintf(b, "| %s | %s | %s / %s | %s | %.1f | %s |\n", r.who, grouped(r.Left.InFlight), grouped(r.Left.Unsent), grouped(r.Left.Sending),
			grouped(r.GivenUp), float64(o.Half.P99Us)/1000, r.Recovery)
	}
}

// short is a row in a line.
func (r *AttackRow) short() string {
	if r.Skipped != "" {
		return "skipped: " + r.Skipped
	}
	text := fmt.Sprintf("%s/s without, %s/s with: %.1f %% left; %s", grouped(int(r.perSec(without))), grouped(int(r.perSec(with))),
		100*r.Share, r.did())
	if len(r.Faults) > 0 {
		text += "; " + strings.Join(r.Faults, "; ")
	}
	return text
}

// did is what the attackers did.
func (r *AttackRow) did() string {
	if o := r.Overload; o != nil {
		return fmt.Sprintf("%s/s offered; at half, latency back %s", grouped(int(o.OfferedPerSec)), o.Impatient)
	}
	c := &r.Attackers
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{c.Connections, "connections"}, {c.Closed, "closed by the authority"}, {c.Failed, "failed"}, {c.Messages, "messages"},
		{c.Bytes >> 20, "MiB"}} {
		if p.n > 0 {
			parts = append(parts, grouped(int(p.n))+" "+p.what)
		}
	}
	return fmt.Sprintf("%s in %.0f s, %.0f %% of a CPU", strings.Join(parts, ", "), c.Seconds, 100*ratio(c.CPUSeconds, c.Seconds))
}
