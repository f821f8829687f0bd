package sim

import (
	"fmt"
	"strings"
)

// A Result is what became of a world.
type Result struct {
	Options   Options
	Violation *Violation // nil: everything held
	Exercised Exercised
	Trace     string // hash of the history
	Steps     uint64
}

// Try makes a world and carries it out.
func Try(o Options) Result {
	w := NewWorld(o)
	v := w.Run()
	return Result{o, v, w.count, w.Trace(), w.steps}
}

// Command is the command line that repeats the world.
func (o Options) Command() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fastpay sim --seeds 1 --from %d", o.Seed)
	if o.Payments != 0 && o.Payments != DefaultPayments {
		fmt.Fprintf(&b, " --payments %d", o.Payments)
	}
	if o.Members != 0 {
		fmt.Fprintf(&b, " --committee-size %d", o.Members)
	}
	if o.Payers != 0 {
		fmt.Fprintf(&b, " --payers %d", o.Payers)
	}
	if o.Faults != AllFaults {
		fmt.Fprintf(&b, " --faults %v", o.Faults)
	}
	if o.Real {
		b.WriteString(" --real-signatures")
	}
	return b.String()
}

// Story repeats a world and returns its last events, one a line, at most so many.
func Story(o Options, lines int) []string {
	w := NewWorld(o)
	var last []string
	w.log = func(line string) {
		if len(last) == 2*lines {
			last = append(last[:0], last[lines:]...)
		}
		last = append(last, line)
	}
	w.Run()
	return last[max(0, len(last)-lines):]
}

// shrinkSeeds is how many seeds are tried for each smaller kind of world: other options draw other worlds from a seed.
const shrinkSeeds = 8

// Shrink looks for a smaller world that violates the same property: with fewer payments, payers, members and kinds of
// faults, in no more steps. It tries at most so many worlds, and returns failed itself if none of those that it tried is
// one.
func Shrink(failed Result, worlds int) (best Result, tried int) {
	best = failed
	for better := true; better; {
		better = false
		for _, o := range smaller(&best) {
			for i := range uint64(shrinkSeeds) {
				if tried == worlds {
					return best, tried
				}
				tried++
				o.Seed = failed.Options.Seed + i
				r := Try(o)
				if r.Violation != nil && r.Violation.Property == failed.Violation.Property && r.Steps <= best.Steps {
					best, better = r, true
					break
				}
			}
			if better {
				break // what is smaller than this one?
			}
		}
	}
	return best, tried
}

// smaller are the kinds of worlds that are a little smaller. The first one has no payments after the violation, and is
// the same up to there.
func smaller(r *Result) (list []Options) {
	o := r.Options
	add := func(change func(*Options)) {
		s := o
		if change(&s); s != o {
			list = append(list, s)
		}
	}
	add(func(s *Options) { s.Payments = min(s.Payments, int(r.Exercised.Payments)+1) })
	for _, divisor := range []int{8, 2} {
		add(func(s *Options) { s.Payments = max(1, s.Payments/divisor) })
	}
	add(func(s *Options) { s.Members = 4 })
	for _, payers := range []int{2, 4, 8} {
		if o.Payers == 0 || payers < o.Payers {
			add(func(s *Options) { s.Payers = payers })
		}
	}
	for i := range faultNames {
		add(func(s *Options) { s.Faults &^= 1 << i })
	}
	return list
}
