package bench

import (
	"slices"
	"testing"
	"time"
)

// TestAlarmWaits: never less than it was asked to, hardly more in the middle of many times, and not at all for what is over.
func TestAlarmWaits(t *testing.T) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	var late []time.Duration
	for i := range 31 {
		due := time.Now().Add(time.Duration(100*i) * time.Microsecond)
		if err := a.wait(due); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(due); d < 0 {
			t.Fatalf("%v too early", -d)
		} else {
			late = append(late, d)
		}
	}
	slices.Sort(late)
	t.Logf("late by %v, at most %v", late[len(late)/2], late[len(late)-1])
	if began := time.Now(); a.wait(began.Add(-time.Hour)) != nil || time.Since(began) > time.Second {
		t.Error("waits for what is over")
	}
	a.close()
	if a.wait(time.Now().Add(time.Hour)) == nil {
		t.Error("a closed timer waits")
	}
}
