package bench

import (
	"slices"
	"testing"
	"time"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "[]",
		"crash:1@2":                      "[crash:1@2s]",
		"crash:2@500ms,restart:1/0.5":    "[crash:2@500ms restart:1/500ms]",
		"slow:1,50":                      "[slow:1,50ms]",
		"slow:2,1s, silent:1":            "[slow:2,1s silent:1]",
		"wrong-signature:3,equivocate:1": "[wrong-signature:3 equivocate:1]",
		"delay:5,loss:0.5":               "[delay:5ms loss:0.5]",
	} {
		faults, err := ParseFaults(text)
		var got []string
		for _, f := range faults {
			got = append(got, f.String())
		}
		if joined := "[" + join(got) + "]"; err != nil || joined != want {
			t.Errorf("%q is %s, %v; want %s", text, joined, err, want)
		}
	}
	for _, text := range []string{"crash", "crash:1", "crash:0@1", "crash:1@0", "crash:1@-1", "restart:1/0.01", "slow:1", "slow:1,60s",
		"delay:0", "delay:x", "loss:0", "loss:51", "silent:x", "silent:-1", "fire:1", ",", "slow:1,2,3", "loss:NaN"} {
		if faults, err := ParseFaults(text); err == nil {
			t.Errorf("%q is taken as %v", text, faults)
		}
	}
}

func join(parts []string) (text string) {
	for i, p := range parts {
		if i > 0 {
			text += " "
		}
		text += p
	}
	return text
}

// FuzzParseFaults holds that what is taken is printed as the same faults.
func FuzzParseFaults(f *testing.F) {
	for _, text := range []string{"crash:1@2,slow:1,5", "loss:3", "restart:2/1m,delay:7us", "slow:1,,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults(text)
		if err != nil {
			return
		}
		printed := ""
		for i, fault := range faults {
			if i > 0 {
				printed += ","
			}
			printed += fault.String()
		}
		again, err := ParseFaults(printed)
		if err != nil || !slices.Equal(faults, again) {
			t.Errorf("%q is %v, printed %q, which is %v, %v", text, faults, printed, again, err)
		}
	})
}

func TestCastGivesEachAuthorityOneFault(t *testing.T) {
	faults := []Fault{{Kind: Crash, Members: 1}, {Kind: Delay}, {Kind: Equivocate, Members: 2}, {Kind: Slow, Members: 1}, {Kind: Restart, Members: 1}}
	of, err := cast(faults, 7)
	if err != nil {
		t.Fatal(err)
	}
	for member, want := range []int{-1, -1, 4, 3, 2, 2, 0} {
		if want < 0 && of[member] != nil || want >= 0 && of[member] != &faults[want] {
			t.Errorf("authority %d has %v", member, of[member])
		}
	}
	faulty, liars, sound := forgiven(of)
	if faulty != 0b1110100 || liars != 0b0110000 || sound != 0b0001111 {
		t.Errorf("faulty %b, liars %b, sound %b", faulty, liars, sound)
	}
	if _, err := cast(faults, 4); err == nil {
		t.Error("five faulty authorities of four")
	}
}

func TestDips(t *testing.T) {
	series := []int{100, 102, 98, 100, 20, 0, 60, 94, 95, 100, 100, 30, 40}
	events := []FaultEvent{{4.5, 3, killed}, {5.2, 3, "started"}, {11, 2, killed}}
	all := dips(series, time.Second, events)
	if len(all) != 2 {
		t.Fatalf("%d dips: %+v", len(all), all)
	}
	a, b := all[0], all[1]
	if a.Before != 100 || a.Lowest != 0 || a.LowestPercent != 0 || a.RecoverySecs == nil || *a.RecoverySecs != 3.5 {
		t.Errorf("first dip %+v", a)
	}
	if b.Before != 95 || b.Lowest != 30 || b.RecoverySecs != nil {
		t.Errorf("second dip %+v", b)
	}
	calm := dips(series, time.Second, []FaultEvent{{2.5, 1, killed}})
	if len(calm) != 1 || calm[0].RecoverySecs == nil || *calm[0].RecoverySecs != 0 || calm[0].Lowest != 98 {
		t.Errorf("no dip: %+v", calm)
	}
	if none := dips(series, time.Second, []FaultEvent{{0.5, 1, killed}, {99, 1, killed}}); len(none) != 0 {
		t.Errorf("dips without a rate before, or after the end: %+v", none)
	}
}
