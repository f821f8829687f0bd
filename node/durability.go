package node

import "fmt"

// Durability says what is durable before a reply leaves.
type Durability string

const (
	// DurabilitySync writes and syncs everything that a reply or a credit tells of before it leaves.
	DurabilitySync Durability = "sync"
	// DurabilityAsync writes and syncs it soon after. A crash may lose what the last replies told: then the authority is
	// started again only by somebody who accepts that it may sign twice.
	DurabilityAsync Durability = "async"
	// DurabilityNone keeps everything in memory, as the paper's prototype does: a restarted authority has forgotten its
	// votes.
	DurabilityNone Durability = "none"
)

// ParseDurability reads the value of a flag.
func ParseDurability(s string) (Durability, error) {
	switch d := Durability(s); d {
	case DurabilitySync, DurabilityAsync, DurabilityNone:
		return d, nil
	}
	return "", fmt.Errorf("node: durability %q is none of sync, async, none", s)
}

// Refusal is why a node does not start on a data directory, or with these files: nothing was changed. Hint says what to
// do about it.
type Refusal struct {
	Reason string
	Hint   string
}

// Error is the reason; whoever shows it adds the hint.
func (r *Refusal) Error() string { return "node: " + r.Reason }
