package sim

import (
	"testing"
	"time"
)

// TestSmallWorld explores it whole. The numbers of states are recorded: a change of them is a change of what is
// explored.
func TestSmallWorld(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	start := time.Now()
	r := ExploreSmallWorld()
	t.Logf("%+v in %v", r, time.Since(start))
	if r.Violation != nil {
		t.Fatal(r.Violation)
	}
	if r.LocalStates != 29 || r.GlobalStates != 26280 {
		t.Errorf("%d local and %d global states, expected 29 and 26280", r.LocalStates, r.GlobalStates)
	}
	if r.Certified == 0 || r.Blocked == 0 {
		t.Error("nothing was certified, or nobody was blocked: not everything was explored")
	}
}
