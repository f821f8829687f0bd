//go:build sabotage

package sim

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/node/authority"
	"fastpay/node/client"
	"fastpay/node/committee"
	"fastpay/node/history"
	"fastpay/node/journal"
	"fastpay/node/link"
)

var (
	update = flag.Bool("update", false, "write SABOTAGE.md anew")
	only   = flag.String("sabotage", "", "try only the bugs whose name contains this")
)

// maxSeeds is how many worlds a bug may survive.
const maxSeeds = 1000

// switchOn switches one bug on, or all off.
func switchOn(name string) {
	authority.Sabotage, client.Sabotage, committee.Sabotage = name, name, name
	journal.Sabotage, link.Sabotage, Sabotage = name, name, name
}

// findSabotages reads the names of all switches out of the packages' sources, so that none is forgotten.
func findSabotages(t *testing.T) (names []string) {
	t.Helper()
	call := regexp.MustCompile(`sabotaged\("([^"]+)"\)`)
	for _, dir := range []string{"../authority", "../committee", "../client", "../journal", "../link", "."} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			text, err := os.ReadFile(dir + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllSubmatch(text, -1) {
				if !slices.Contains(names, string(m[1])) {
					names = append(names, string(m[1]))
				}
			}
		}
	}
	return names
}

// TestSabotage switches each bug on in turn and demands that worlds of consecutive seeds find it.
func TestSabotage(t *testing.T) {
	defer switchOn("")
	names := findSabotages(t)
	if len(names) < 20 {
		t.Fatalf("%d sabotages, expected 20 or more", len(names))
	}
	var table strings.Builder
	for _, name := range names {
		if !strings.Contains(name, *only) {
			continue
		}
		switchOn(name)
		v, seeds := hunt(maxSeeds)
		if v == nil {
			t.Errorf("%s: not caught by %d seeds", name, seeds)
			continue
		}
		fmt.Fprintf(&table, "| %s | %s | %d |\n", name, v.Property, seeds)
		t.Logf("%-70s %-4s %4d  %s", name, v.Property, seeds, strings.SplitN(v.Text, "\n", 2)[0])
	}
	switch {
	case *only != "" || t.Failed():
	case *update:
		writeTable(t, table.String())
	default:
		checkTable(t, names)
	}
}

// hunt tries worlds until one shows a violation.
func hunt(seeds int) (v *Violation, tried int) {
	for seed := range seeds {
		if v := NewWorld(Options{Seed: uint64(seed), Payments: 100, Faults: AllFaults}).Run(); v != nil {
			return v, seed + 1
		}
	}
	return nil, seeds
}

// TestShrink has a failure of a large world shrunk to few steps, with the same property.
func TestShrink(t *testing.T) {
	defer switchOn("")
	switchOn("committee: a voter counts twice")
	r := failure(t, 300)
	small, _ := Shrink(r, 400)
	if small.Violation == nil || small.Violation.Property != r.Violation.Property || small.Steps >= r.Steps {
		t.Fatalf("%v after %d steps became %v after %d", r.Violation, r.Steps, small.Violation, small.Steps)
	}
	if again := Try(small.Options); again.Trace != small.Trace {
		t.Fatal("the smaller world does not repeat")
	}
	t.Logf("%d steps became %d: %s", r.Steps, small.Steps, small.Options.Command())
	// What can't be made smaller comes back as it is.
	if least, tried := Shrink(small, 400); tried < 400 && least.Options != small.Options {
		t.Errorf("%s was not the end of it: %s", small.Options.Command(), least.Options.Command())
	}
	if same, tried := Shrink(r, 0); tried != 0 || same.Options != r.Options {
		t.Errorf("without a world it became %s", same.Options.Command())
	}
}

// failure is a world with a violation.
func failure(t *testing.T, payments int) Result {
	for seed := range uint64(maxSeeds) {
		if r := Try(Options{Seed: seed, Payments: payments, Faults: AllFaults}); r.Violation != nil {
			return r
		}
	}
	t.Fatal("no world fails")
	return Result{}
}

// TestSabotageSmallWorld has the small world find what is wrong with rules, votes and recovery.
func TestSabotageSmallWorld(t *testing.T) {
	defer switchOn("")
	for _, name := range []string{
		"committee: a quorum of 2f", "committee: a voter counts twice", "committee: a vote from outside counts",
		"authority: a second order replaces the pending one", "authority: a certificate is applied again",
		"authority: recovery forgets pending orders", "journal: a group is not synced",
		"sim: a reply leaves before its record is durable",
	} {
		switchOn(name)
		r := ExploreSmallWorld()
		if r.Violation == nil {
			t.Errorf("%s: not caught", name)
			continue
		}
		t.Logf("%-55s %s after %d local and %d global steps", name, r.Violation.Property, r.LocalSteps, r.GlobalSteps)
	}
}

// TestSabotageHistories has Porcupine find bugs in what clients have seen, while the checker of the worlds is deaf.
func TestSabotageHistories(t *testing.T) {
	defer switchOn("")
	const most = 200
	for _, name := range []string{
		"authority: a credit is cut to 32 bits", "authority: the balance before the last payment is checked",
		"authority: a repeated credit is applied", "authority: a transaction of the Primary is applied again",
		"client: a settlement ends with the quorum",
	} {
		switchOn(name)
		for seed := uint64(0); ; seed++ {
			if seed == most {
				t.Errorf("%s: not caught by %d histories", name, most)
				break
			}
			ops, _ := recorded(t, Options{Seed: seed, Payments: 60, Members: 4, Faults: AllFaults &^ (Flips | Byzantine | Twins)}, true)
			if history.Check(ops, 5*time.Second) == history.Impossible {
				t.Logf("%-60s %d worlds", name, seed+1)
				break
			}
		}
	}
}

// checkTable demands that SABOTAGE.md names each bug; properties and numbers of worlds may drift between updates.
func checkTable(t *testing.T, names []string) {
	t.Helper()
	text, err := os.ReadFile("SABOTAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "| "+name+" |") {
			t.Errorf("SABOTAGE.md lacks %q; run this test with -update", name)
		}
	}
}

func writeTable(t *testing.T, rows string) {
	t.Helper()
	const marker = "| Bug | Caught by | Seeds |\n|---|---|---:|\n"
	text, err := os.ReadFile("SABOTAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), marker)
	if !ok {
		t.Fatal("SABOTAGE.md has no table")
	}
	if err := os.WriteFile("SABOTAGE.md", []byte(before+marker+rows), 0o644); err != nil {
		t.Fatal(err)
	}
}
