package authority

import "testing"

// A position in a batch is an offset that the batch's place is added to; any other stays.
func TestPositions(t *testing.T) {
	f := func(p, base, want Position, text string) {
		t.Helper()
		if got := p.Rebase(base); got != want || p.IsProvisional() != (got != p) || p.String() != text {
			t.Errorf("%v at %d becomes %d, expected %d, %s", p, base, got, want, text)
		}
	}
	f(Provisional(0), 4096, 4096, "batch:0")
	f(Provisional(5), 1<<32|4096, 1<<32|4101, "batch:5")
	f(Provisional(1<<40), 1, 1<<40+1, "batch:1099511627776")
	f(0, 4096, 0, "0:0")
	f(31<<32|4128, 4096, 31<<32|4128, "1f:4128")
}
