package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"fastpay/node/committee"
)

// stack is a sample of so many milliseconds, innermost function first.
func stack(ms int64, functions ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{ms / 10, ms * 1e6}}
	for _, name := range functions {
		s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
	}
	return s
}

func cpuProfile(samples ...*profile.Sample) *profile.Profile {
	return &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Period:     10e6, Sample: samples,
	}
}

func TestInnermostListedFunctionDecides(t *testing.T) {
	f := func(want stage, functions ...string) {
		t.Helper()
		if got := stageOfSample(stack(10, functions...)); got != want {
			t.Errorf("%v: got %q, want %q", functions, stageNames[got], stageNames[want])
		}
	}
	const loop = "github.com/panjf2000/gnet/v2.(*eventloop).read"
	drain := []string{"fastpay/node.(*worker).drain", "fastpay/node.(*batch).add", "fastpay/node.(*worker).OnTraffic", loop}
	under := func(functions ...string) []string { return append(functions, drain...) }
	f(stageOther)
	f(stageOther, "main.main")
	f(stageRead, "internal/runtime/syscall/linux.Syscall6", "syscall.read", loop)
	f(stageAdmit, "runtime.memmove", "fastpay/node.(*batch).add", "fastpay/node.(*worker).OnTraffic", loop)
	f(stageAdmit, under("fastpay/crypto.(*Verifier).find", "fastpay/node.(*batch).admit")...)
	f(stageHash, under("fastpay/crypto/internal/lanes.compress16AVX512", "fastpay/crypto/internal/eight.(*inputs).fill",
		"fastpay/crypto/internal/eight.(*system).check")...)
	f(stageOrders, under("runtime.memmove", "fastpay/crypto/internal/ifma.(*Sum).flush",
		"fastpay/crypto/internal/eight.(*system).holds", "fastpay/crypto/internal/eight.(*checker).checkBatch")...)
	f(stageVotes, under("fastpay/crypto/internal/ifma.walkIFMA", "fastpay/crypto/internal/eight.(*checker).checkVotes",
		"fastpay/node.(*batch).verify")...)
	f(stageSign, under("fastpay/crypto/internal/ifma.multiplyBaseIFMA", "fastpay/crypto.(*PrivateKey).SignBatch",
		"fastpay/node.(*batch).sign")...)
	f(stageApply, under("fastpay/node/authority.(*Shard).Certificate", "fastpay/node.(*batch).applyRequest")...)
	f(stageReply, under("internal/runtime/syscall/linux.Syscall6", "github.com/panjf2000/gnet/v2.(*conn).write",
		"fastpay/node.(*worker).write", "fastpay/node.(*worker).release")...)
	f(stageCredits, under("runtime.memmove", "fastpay/node.(*ring).push", "fastpay/node.(*worker).sendCredits",
		"fastpay/node.(*worker).release")...)
	f(stageRuntime, under("runtime.memclrNoHeapPointers", "runtime.mallocgc", "fastpay/node.(*batch).applyRequest")...)
	f(stageRuntime, "runtime.futex", "runtime.mcall")
}

func TestBudgetAddsUp(t *testing.T) {
	p := cpuProfile(stack(40, "fastpay/node.(*worker).OnTraffic"), stack(60, "fastpay/node.(*batch).sign"), stack(10, "x"))
	r := example()
	r.Node.Certificates, r.Node.BytesIn, r.Node.BytesOut = 10000, 6_080_000, 3_950_000
	b, err := newBudget(p, r)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(b.SumUs-11) > 1e-9 || b.Samples != 11 || b.MeasuredUs != 44.25 || math.Abs(b.signaturesUs()-6) > 1e-9 ||
		b.Stages[stageAdmit].Us != 4 || b.Stages[stageOther].Us != 1 || b.Stages[stageGenerator].Us != 0.75 ||
		b.Stages[stageRead].Bytes != 608 || b.Stages[stageReply].Bytes != 395 {
		t.Errorf("%+v", b)
	}
	if _, err := newBudget(&profile.Profile{}, r); err == nil {
		t.Error("a budget of a profile without CPU time")
	}
}

// TestBudgetKnowsTheAuthority profiles the authority: if its functions are renamed the list of stages must follow.
func TestBudgetKnowsTheAuthority(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	o := endToEnd(60)
	o.Protocol, o.Profiles, o.ProfileDir = committee.TCP, []string{"cpu"}, t.TempDir()
	o.Payments, o.NumAccounts, o.MaxInFlight = 480_000, 1000, 500 // some 200 samples, of which signing has a dozen
	r := runTest(t, o)
	b := r.Budget
	if b == nil {
		t.Fatal("no budget")
	}
	for _, s := range [...]stage{stageAdmit, stageHash, stageOrders, stageVotes, stageSign} {
		if b.Stages[s].Us == 0 {
			t.Errorf("nothing is counted for %q", stageNames[s])
		}
	}
	small := b.Stages[stageRead].Us + b.Stages[stageApply].Us + b.Stages[stageReply].Us
	if small == 0 {
		t.Error("nothing is counted for reading, applying and replying")
	}
	if other := b.Stages[stageOther].Us; other > b.SumUs/10 {
		t.Errorf("%.2f µs of %.2f belong to no stage", other, b.SumUs)
	}
	if b.SumUs < b.MeasuredUs/2 || b.SumUs > 2*b.MeasuredUs {
		t.Errorf("the stages are %.2f µs, the clock says %.2f", b.SumUs, b.MeasuredUs)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "BUDGET") {
		t.Errorf("%v:\n%s", err, text.String())
	}
	t.Logf("%v for %d samples\n%s", time.Duration(r.Seconds*1e9), b.Samples, text.String())
}
