package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind uint8

// The faults of authorities, and of the way to them.
const (
	Crash          FaultKind = iota // killed at a moment of the window, and not started again
	Restart                         // killed every so often, and started again soon after
	Silent                          // takes requests and answers none
	Slow                            // answers late
	WrongSignature                  // its votes do not verify
	Equivocate                      // votes for every order; some payers sign two
	Delay                           // of every message, both ways, to all authorities
	Loss                            // of segments, both ways, to all authorities: TCP sends them again later

	numFaults
)

var faultNames = [numFaults]string{"crash", "restart", "silent", "slow", "wrong-signature", "equivocate", "delay", "loss"}

// Fault is one of the things that go wrong in a run.
type Fault struct {
	Kind    FaultKind
	Members int           // how many authorities it concerns; 0 for Delay and Loss, which concern all
	At      time.Duration // Crash: since the window's start; Restart: between two
	Late    time.Duration // Slow and Delay
	Percent float64       // Loss
}

func (f Fault) String() string {
	text := faultNames[f.Kind] + ":"
	switch f.Kind {
	case Crash:
		return text + fmt.Sprintf("%d@%v", f.Members, f.At)
	case Restart:
		return text + fmt.Sprintf("%d/%v", f.Members, f.At)
	case Slow:
		return text + fmt.Sprintf("%d,%v", f.Members, f.Late)
	case Delay:
		return text + f.Late.String()
	case Loss:
		return text + strconv.FormatFloat(f.Percent, 'g', -1, 64)
	}
	return text + strconv.Itoa(f.Members)
}

// Limits of faults.
const (
	maxLate     = 10 * time.Second
	leastPeriod = 200 * time.Millisecond // between two crashes
)

// FaultGrammar is what ParseFaults takes.
const FaultGrammar = "crash:F@T, restart:F/T, silent:F, slow:F,MS, wrong-signature:F, equivocate:F, delay:MS, loss:PERCENT"

// ParseFaults reads a list with commas: F counts authorities, T is seconds, MS milliseconds; both may have a unit.
func ParseFaults(text string) (faults []Fault, err error) {
	if text == "" {
		return nil, nil
	}
	var items []string
	for piece := range strings.SplitSeq(text, ",") {
		if len(items) > 0 && !strings.Contains(piece, ":") { // the second number of slow
			items[len(items)-1] += "," + piece
		} else {
			items = append(items, strings.TrimSpace(piece))
		}
	}
	for _, item := range items {
		f, ok := parseFault(item)
		if !ok {
			return nil, fmt.Errorf("bench: fault %q: expected one of %s", item, FaultGrammar)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(item string) (f Fault, ok bool) {
	name, rest, _ := strings.Cut(item, ":")
	for kind, n := range faultNames {
		if n == name {
			f.Kind, ok = FaultKind(kind), true
		}
	}
	if !ok {
		return f, false
	}
	members, second := rest, ""
	switch f.Kind {
	case Crash:
		members, second, ok = strings.Cut(rest, "@")
	case Restart:
		members, second, ok = strings.Cut(rest, "/")
	case Slow:
		members, second, ok = strings.Cut(rest, ",")
	case Delay:
		f.Late, ok = parseTime(rest, time.Millisecond)
		return f, ok && f.Late <= maxLate
	case Loss:
		percent, err := strconv.ParseFloat(rest, 64)
		f.Percent = percent
		return f, err == nil && percent > 0 && percent <= 50
	}
	n, err := strconv.Atoi(members)
	if !ok || err != nil || n < 1 {
		return f, false
	}
	f.Members = n
	switch f.Kind {
	case Crash:
		f.At, ok = parseTime(second, time.Second)
	case Restart:
		f.At, ok = parseTime(second, time.Second)
		ok = ok && f.At >= leastPeriod
	case Slow:
		f.Late, ok = parseTime(second, time.Millisecond)
		ok = ok && f.Late <= maxLate
	}
	return f, ok
}

// parseTime reads a positive time, in unit when it names none.
func parseTime(text string, unit time.Duration) (time.Duration, bool) {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		d := time.Duration(n * float64(unit))
		return d, n > 0 && n < 1e6
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// FaultNames are the kinds that ParseFaults knows, each with the colon that its numbers follow.
func FaultNames() []string {
	names := make([]string, len(faultNames))
	for i, name := range faultNames {
		names[i] = name + ":"
	}
	return names
}

// cast deals the faults out: the last authorities get the first fault, and so on. The result has a fault, or nil, for
// each member.
func cast(faults []Fault, members int) (of []*Fault, err error) {
	of = make([]*Fault, members)
	next := members
	for i := range faults {
		for range faults[i].Members {
			if next--; next < 0 {
				return nil, fmt.Errorf("bench: the faults concern more than the %d authorities that there are", members)
			}
			of[next] = &faults[i]
		}
	}
	return of, nil
}

// forgiven are the members whose failures are part of the run; liars those that vote for anything; sound those that must
// have settled everything in the end.
func forgiven(of []*Fault) (faulty, liars, sound uint64) {
	for member, f := range of {
		if f == nil || f.Kind == Slow {
			sound |= bit(member)
			continue
		}
		faulty |= bit(member)
		switch f.Kind {
		case Equivocate:
			liars |= bit(member)
		case Restart:
			sound |= bit(member)
		}
	}
	return faulty, liars, sound
}
