package node

import (
	"testing"
	"time"
)

// TestPacerRests three times as long as it worked, unless it is behind or has to stop.
func TestPacerRests(t *testing.T) {
	stop, behind := make(chan struct{}), false
	rest := func() time.Duration {
		began := time.Now()
		p := pacer{stop: stop, behind: func() bool { return behind }, began: began.Add(-100 * time.Millisecond)}
		p.rest()
		if p.began.Before(began) {
			t.Error("no new slice began")
		}
		return time.Since(began)
	}
	if took := rest(); took < 300*time.Millisecond {
		t.Errorf("rested for %v", took)
	}
	behind = true
	if took := rest(); took > 200*time.Millisecond {
		t.Errorf("rested for %v although it is behind", took)
	}
	behind = false
	close(stop)
	if took := rest(); took > 200*time.Millisecond {
		t.Errorf("rested for %v although it has to stop", took)
	}
}
