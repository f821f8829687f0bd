package bench

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fastpay/node/committee"
)

func TestCurveOptions(t *testing.T) {
	o := DefaultOptions()
	o.Protocol, o.Command = committee.TCP, []string{"fastpay", "bench", "--protocol=tcp"}
	of := map[string]func(Options) int{
		"in-flight":   func(o Options) int { return o.MaxInFlight },
		"accounts":    func(o Options) int { return o.NumAccounts },
		"committee":   func(o Options) int { return o.CommitteeSize },
		"connections": func(o Options) int { return o.Connections },
		"rate":        func(o Options) int { return int(o.Rate) },
		"shards":      func(o Options) int { return o.NumShards },
	}
	for _, name := range CurveNames() {
		all, err := CurveOptions(o, name, []int{3, 20})
		flag, ok := CurveFlag(name)
		if err != nil || len(all) != 2 || of[name](all[0]) != 3 || of[name](all[1]) != 20 || !ok ||
			!slices.Equal(all[1].Command, []string{"fastpay", "bench", "--protocol=tcp", "--" + flag + "=20"}) {
			t.Errorf("%s: %v, command %v", name, err, all)
		}
		for _, bad := range [][]int{nil, {3, 3}, {0}, {1 << 40}} {
			if _, err := CurveOptions(o, name, bad); err == nil {
				t.Errorf("%s: values %v are taken", name, bad)
			}
		}
	}
	if _, err := CurveOptions(o, "seed", []int{1}); err == nil {
		t.Error("the seed is varied")
	}
}

// TestCurve runs a small one, over the files of an older one, and reads it back.
func TestCurve(t *testing.T) {
	dir := t.TempDir()
	stale := pointFile(dir, "in-flight", 999)
	if err := os.WriteFile(stale, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := endToEnd(50)
	o.Protocol, o.Command = committee.TCP, []string{"bench"}
	made, err := RunCurve(context.Background(), o, "in-flight", []int{20, 70}, dir, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	curves, err := ReadCurves(dir)
	if err != nil || len(curves) != 1 || curves[0].Name != "in-flight" || len(curves[0].Points) != 2 {
		t.Fatalf("%+v, %v", curves, err)
	}
	for i, want := range []int{20, 70} {
		p := curves[0].Points[i]
		if p.Value != want || p.Result.MaxInFlight != want || p.Result.PaymentsOK != 500 ||
			p.Result.RatePerSec != made.Points[i].Result.RatePerSec {
			t.Errorf("point %d: %+v", i, p)
		}
	}
	csv, err := os.ReadFile(filepath.Join(dir, "in-flight.csv"))
	if lines := strings.Split(string(csv), "\n"); err != nil || len(lines) != 4 || !strings.HasPrefix(lines[1], "20,payments,") {
		t.Errorf("%v\n%s", err, csv)
	}
}

func TestPreparedPaymentsServeAgain(t *testing.T) {
	o := endToEnd(51)
	r := runner{made: &prepared{total: 1000}, seed: o.Seed, members: o.CommitteeSize, shape: o.shape()}
	if r.keep(&o, 1001) != nil {
		t.Error("too few payments serve a run of an exact number")
	}
	o.Payments = 0
	r = runner{made: &prepared{total: 1000}, seed: o.Seed, members: o.CommitteeSize, shape: o.shape()}
	if got := r.keep(&o, 1100); got == nil || got.cached != 1000 || r.made.cached != 0 {
		t.Errorf("got %+v", got)
	}
	for name, other := range map[string]func(*Options){
		"more":      func(*Options) {},
		"seed":      func(o *Options) { o.Seed++ },
		"committee": func(o *Options) { o.CommitteeSize++ },
		"accounts":  func(o *Options) { o.NumAccounts++ },
		"phase":     func(o *Options) { o.Phase = Orders },
	} {
		copied, changed, total := r, o, 1000
		if other(&changed); name == "more" {
			total = 1200
		}
		if got := copied.keep(&changed, total); got != nil || copied.made != nil {
			t.Errorf("%s: payments of another run serve", name)
		}
	}
}

func TestCurveWithAGap(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadCurves(dir); err == nil {
		t.Error("an empty folder has curves")
	}
	for _, p := range []Point{{Value: 10, LeftOut: "left out: too | much"}, {Value: 5, Result: example()}} {
		if err := p.write(dir, "accounts"); err != nil {
			t.Fatal(err)
		}
	}
	curves, err := ReadCurves(dir)
	if err != nil || len(curves[0].Points) != 2 || curves[0].Points[0].Result == nil ||
		curves[0].Points[1].LeftOut != "left out: too | much" {
		t.Errorf("%+v, %v", curves, err)
	}
	o := DefaultOptions()
	o.NumAccounts = 10_000_000
	if why := o.tooLarge(6 << 30); !strings.Contains(why, "10,000,000 accounts take about 4 GiB, of 6") {
		t.Errorf("got %q", why)
	}
	if why := o.tooLarge(8 << 30); why != "" {
		t.Errorf("got %q", why)
	}
}

func TestReportOfCurves(t *testing.T) {
	file := filepath.Join(t.TempDir(), "RESULTS.md")
	slow := example()
	slow.MaxInFlight, slow.Flags, slow.Valid = 100, []string{FlagShortWindow}, false
	curves := []Curve{
		{"in-flight", []Point{{100, slow, ""}, {1000, example(), ""}}},
		{"accounts", []Point{{20000, example(), ""}}},
		{"committee", []Point{{4, example(), ""}, {20, broken(), ""}, {100, nil, "left out: no | memory"}}},
	}
	soak := example()
	soak.PaymentsOK = 2_000_000
	r := Report{Curves: curves, Endurance: []*Result{soak}}
	for range 2 { // the second time changes nothing
		if err := r.Update(file); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "curves.md", b)
	}
	if err := (&Report{Results: []*Result{alone(Orders)}}).Update(file); err == nil {
		t.Error("a report of no payments")
	}
	if got := example().growth(); got != "-" {
		t.Errorf("growth of a short run: %s", got)
	}
}
