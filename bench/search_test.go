package bench

import (
	"strings"
	"testing"
	"time"
)

func TestParseSLO(t *testing.T) {
	for text, want := range map[string]string{
		"p99<50ms":              "p99<50ms",
		" p99.9 < 1.5s":         "p99.9<1.5s",
		"p50<100us,max<2s":      "p50<100µs,max<2s",
		"p90<1h,p90<1ms,p99<3s": "p90<1h0m0s,p90<1ms,p99<3s",
	} {
		slo, err := ParseSLO(text)
		if err != nil || slo.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, slo, err, want)
		}
	}
	for _, text := range []string{"", "p99", "p99<", "p99<50", "p95<50ms", "p99>50ms", "p99<-1s", "p99<0s", "p99<1s,", "<1s", "p99<1s<2s"} {
		if slo, err := ParseSLO(text); err == nil {
			t.Errorf("%q is taken as %q", text, slo)
		}
	}
}

func TestSLOIsStrict(t *testing.T) {
	us := int64(50_000)
	p := &Percentiles{P99: &us}
	f := func(term string, broken bool) {
		t.Helper()
		slo, err := ParseSLO(term)
		if err != nil {
			t.Fatal(err)
		}
		if why := slo.broken(p); (why != "") != broken {
			t.Errorf("%s: %q", term, why)
		}
	}
	f("p99<50ms", true)
	f("p99<50001us", false)
	f("p99<1s,p99<10ms", true)
	f("p50<1s", true) // there are too few samples
}

func TestParseSweep(t *testing.T) {
	f := func(text string, want ...int) {
		t.Helper()
		got, err := ParseSweep(text)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %v, %v", text, got, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	}
	f("10:30:10", 10, 20, 30)
	f("10:35:10", 10, 20, 30)
	f("5:5:100", 5)
	for _, text := range []string{"", "1", "1:2", "1:2:3:4", "0:10:1", "10:1:1", "1:10:0", "1:10:-1", "a:10:1", "1:1000:1", "1:1e3:10"} {
		if got, err := ParseSweep(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

func TestWhatHolds(t *testing.T) {
	slo := SLO{{"p99", 15 * time.Millisecond}}
	f := func(spoil func(*Result), want string) {
		t.Helper()
		r := example()
		spoil(r)
		if why := slo.holds(r); want == "" && why != "" || !strings.Contains(why, want) {
			t.Errorf("got %q, want %q", why, want)
		}
	}
	f(func(*Result) {}, "")
	f(func(r *Result) { r.Flags = []string{FlagShortWindow, FlagUnsteady} }, "")
	f(func(r *Result) { r.Flags = []string{FlagGeneratorBound} }, FlagGeneratorBound)
	f(func(r *Result) { r.Flags = []string{FlagOverloaded} }, FlagOverloaded)
	f(func(r *Result) { r.Flags, r.Lost = []string{FlagLost}, 3 }, "3 payments lost")
	f(func(r *Result) { *r.LatencyUs.Confirmation.P99 = 15_000 }, "p99 is 15ms")
	f(func(r *Result) { r.LatencyUs.Confirmation.P99 = nil }, "too few samples")
}
