package bench

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"
)

// SideBySide is the same load against this program's authority and against a peer, one after the other.
type SideBySide struct {
	Ours, Peer *Result
}

// RunPeer runs o twice: against this program's authority, and against the server that command starts. Both get the same
// payments in the same order, and the same arrivals in an open loop. A peer that does not start is an error, beside which our
// result is there; how good the results are is told by their Err.
func RunPeer(ctx context.Context, o Options, command string, stderr io.Writer) (*SideBySide, error) {
	var runs runner
	var both SideBySide
	words, err := splitCommand(command)
	if err == nil {
		_, err = exec.LookPath(words[0])
	}
	if err != nil {
		return &both, fmt.Errorf("bench: peer: %w", err)
	}
	fmt.Fprintf(stderr, "\n== ours\n")
	if both.Ours, err = runs.run(ctx, o, stderr); err != nil {
		return &both, err
	}
	if err := ctx.Err(); err != nil {
		return &both, err
	}
	o.Peer = command
	fmt.Fprintf(stderr, "\n== peer: %s\n", command)
	both.Peer, err = runs.run(ctx, o, stderr)
	return &both, err
}

// Err is the first bad verdict, the peer's after ours.
func (s *SideBySide) Err(requireValid bool) error {
	if s.Ours == nil || s.Peer == nil {
		return nil
	}
	if err := s.Ours.Err(requireValid); err != nil {
		return err
	}
	if err := s.Peer.Err(requireValid); err != nil {
		return &RunError{err.(*RunError).Code, "peer: " + err.(*RunError).Text}
	}
	return nil
}

// WriteText prints both in one table. A rate is printed only where something was measured.
func (s *SideBySide) WriteText(out io.Writer) error {
	var b strings.Builder
	s.Ours.writeConfig(&b)
	fmt.Fprintf(&b, " Peer:                  %s\n\n", s.Peer.Load.Peer)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, " \tours\tpeer\tours/peer")
	row := func(name string, ours, peer float64, format string) {
		quotient := "-"
		if ours > 0 && peer > 0 {
			quotient = fmt.Sprintf("%.2f", ours/peer)
		}
		cell := func(v float64) string {
			if v <= 0 {
				return "-"
			}
			return fmt.Sprintf(format, v)
		}
		fmt.Fprintf(w, " %s\t%s\t%s\t%s\n", name, cell(ours), cell(peer), quotient)
	}
	ours, peer := s.Ours, s.Peer
	row(ours.unit().many+"/s", ours.RatePerSec, peer.RatePerSec, "%.0f")
	row("... per core", ours.RatePerCore, peer.RatePerCore, "%.0f")
	for _, l := range []struct {
		name       string
		ours, peer *int64
	}{
		{"order p50, ms", ours.LatencyUs.Order.P50, peer.LatencyUs.Order.P50},
		{"... p99", ours.LatencyUs.Order.P99, peer.LatencyUs.Order.P99},
		{"confirmation p50, ms", ours.LatencyUs.Confirmation.P50, peer.LatencyUs.Confirmation.P50},
		{"... p99", ours.LatencyUs.Confirmation.P99, peer.LatencyUs.Confirmation.P99},
	} {
		row(l.name, orZero(l.ours), orZero(l.peer), "%.2f")
	}
	row("CPU µs, authority", ours.CPUUsPerPayment.Node, peer.CPUUsPerPayment.Node, "%.2f")
	row("memory, MiB", float64(ours.PeakRSSBytes)/(1<<20), float64(peer.PeakRSSBytes)/(1<<20), "%.0f")
	text := func(name string, of func(*Result) string) {
		fmt.Fprintf(w, " %s\t%s\t%s\t\n", name, of(ours), of(peer))
	}
	text("rejected, lost, resent", func(r *Result) string { return fmt.Sprintf("%d, %d, %d", r.Rejected, r.Lost, r.Retransmitted) })
	text("money conserved", func(r *Result) string { return map[bool]string{true: "yes", false: "no"}[r.Conserved] })
	text("valid", func(r *Result) string {
		if r.Valid {
			return "yes"
		}
		return "no: " + strings.Join(r.Flags, ", ")
	})
	if err := w.Flush(); err != nil {
		return err
	}
	for _, reason := range peer.Rejections {
		line(&b, "Peer's rejections", "%s", reason)
	}
	if peer.Stopped != "" {
		line(&b, "Peer ended early", "%s", peer.Stopped)
	}
	fmt.Fprintln(&b, rule)
	_, err := io.WriteString(out, b.String())
	return err
}

// orZero is µs in milliseconds, 0 where there is none.
func orZero(us *int64) float64 {
	if us == nil {
		return 0
	}
	return float64(*us) / 1e3
}
