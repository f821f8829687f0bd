package bench

import (
	"fmt"
	"strings"
)

// firstViolation is one of those that there are, and how many others.
func (c *CommitteeRun) firstViolation() string {
	text := c.Violations[0]
	if n := len(c.Violations) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// audited is how many authorities had settled everything in the end, with the balances that follow.
func (c *CommitteeRun) audited() (n int) {
	for _, m := range c.Members {
		n += btoi(m.Audited)
	}
	return n
}

// writeCommittee is what only a run of a whole committee has.
func (r *Result) writeCommittee(b *strings.Builder) {
	c := r.Committee
	if c == nil {
		return
	}
	line(b, "... settled by all", "%s; %s payments", c.SettledAllUs, grouped(c.SettledAll))
	if c.CreditsOneOf > 0 {
		line(b, "... credited by quorum", "%s; %s watched, one of %d between shards", c.CreditedUs, grouped(c.CreditsWatched),
			c.CreditsOneOf)
		line(b, "... credited by all", "%s; %s after the debit", c.CreditedAllUs, c.CreditLagUs)
	}
	if c.CreditsUnseen > 0 {
		line(b, "Credits not seen", "%d of those watched, within the time-out", c.CreditsUnseen)
	}
	for _, m := range c.Members {
		if m.Fault == "" && m.Refused+m.BadVotes+m.TwoVotes+m.Behind+m.Replayed+m.Breaks == 0 && m.Audited {
			continue
		}
		fault, state := m.Fault, "settled all"
		if fault == "" {
			fault = "no fault"
		}
		if !m.Settled {
			state = "has not settled all"
		}
		line(b, fmt.Sprintf("Authority %d", m.Authority),
			"%s: %s votes, %d wrong, %d twice; %d refused, %d behind; %d replayed; %d breaks; %s", fault, grouped(m.Votes), m.BadVotes,
			m.TwoVotes, m.Refused, m.Behind, m.Replayed, m.Breaks, state)
	}
	for _, d := range c.Dips {
		back := "not back in the window"
		if d.RecoverySecs != nil && *d.RecoverySecs == 0 {
			line(b, "No dip", "authority %d %s at %.1f s: %s/s before, %s/s after", d.Authority, d.What, d.Seconds,
				grouped(int(d.Before)), grouped(int(d.Lowest)))
			continue
		}
		if d.RecoverySecs != nil {
			back = fmt.Sprintf("back at %.0f %% after %.1f s", 100*recovered, *d.RecoverySecs)
		}
		line(b, "Dip", "authority %d %s at %.1f s: from %s to %s/s (%.0f %%), %s", d.Authority, d.What, d.Seconds,
			grouped(int(d.Before)), grouped(int(d.Lowest)), d.LowestPercent, back)
	}
	if audited := c.audited(); audited > 0 {
		line(b, "Credits", "all at %d authorities, read over the wire within %.2f s of the last payment", audited, c.CreditsSeconds)
	}
	if len(c.Violations) == 0 {
		line(b, "Safety", "no two certificates or votes for one number, balances equal at all that are sound")
	}
	for i, v := range c.Violations {
		if i == toldUnsafe {
			line(b, "...", "and %d more", len(c.Violations)-i)
			break
		}
		line(b, "SAFETY VIOLATED", "%s", v)
	}
}

// writeWhole is the line of the configuration that says what was measured.
func (r *Result) writeWhole(b *strings.Builder) {
	where := "each a process"
	if r.InProcess {
		where = "all in one process"
	}
	if r.Committee.Generators > 1 {
		where += fmt.Sprintf(", %d generators", r.Committee.Generators)
	}
	line(b, "Committee", "%d authorities, %s, over %s on loopback, durability %s", r.CommitteeSize, where, strings.ToUpper(r.Protocol),
		r.Durability)
	if len(r.Committee.Faults) > 0 {
		line(b, "Faults", "%s", strings.Join(r.Committee.Faults, ", "))
	}
}
