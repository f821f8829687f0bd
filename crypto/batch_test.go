package crypto

import (
	"fmt"
	"math/rand"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"fastpay/crypto/internal/backend"
)

// eachBackend runs f once for every implementation that this processor can run.
func eachBackend(t *testing.T, f func(t *testing.T, b backend.Backend)) {
	for _, b := range backends {
		if b.Available() == nil {
			t.Run("backend="+b.Name(), func(t *testing.T) { f(t, b) })
		}
	}
}

// with selects b for the rest of the test.
func with(tb testing.TB, b backend.Backend) {
	before := Backend()
	if err := Select(b.Name()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := Select(before); err != nil {
			tb.Fatal(err)
		}
	})
}

// signed is a signature with all that it takes to check it.
type signed struct {
	key     PublicKey
	member  int // index in the fixture's KeySet, or -1
	message []byte
	sig     Signature
	valid   bool
}

func (s *signed) add(v *Verifier) int {
	if s.member >= 0 {
		return v.AddVote(s.member, s.message, &s.sig)
	}
	return v.AddOrder(&s.key, s.message, &s.sig)
}

// committee is keys of authorities and what they sign.
type committee struct {
	private []*PrivateKey
	keys    []PublicKey
}

func newCommittee(n int) *committee {
	c := new(committee)
	for i := range n {
		seed := [SeedSize]byte{1, byte(i), byte(i >> 8)}
		k := NewPrivateKey(&seed)
		c.private, c.keys = append(c.private, k), append(c.keys, k.Public())
	}
	return c
}

// messageSize is that of the signed bytes of a transfer between FastPay accounts without user data.
const messageSize = 92

// votes returns n votes of the committee in turn, three for each message.
func (c *committee) votes(rng *rand.Rand, n int) []signed {
	out := make([]signed, n)
	var message []byte
	for i := range out {
		if i%3 == 0 {
			message = make([]byte, messageSize)
			rng.Read(message)
		}
		j := i % len(c.keys)
		out[i] = signed{key: c.keys[j], member: j, message: message, valid: true}
		c.private[j].Sign(&out[i].sig, message)
	}
	return out
}

// orders returns n signatures by different senders.
func orders(rng *rand.Rand, n int) []signed {
	out := make([]signed, n)
	for i := range out {
		var seed [SeedSize]byte
		rng.Read(seed[:])
		k := NewPrivateKey(&seed)
		message := make([]byte, messageSize)
		rng.Read(message)
		out[i] = signed{key: k.Public(), member: -1, message: message, valid: true}
		k.Sign(&out[i].sig, message)
	}
	return out
}

// spoil makes a signature bad in one of the ways there are.
func (s *signed) spoil(rng *rand.Rand) {
	s.valid = false
	switch rng.Intn(5) {
	case 0: // another S
		s.sig[32+rng.Intn(31)] ^= 1 << rng.Intn(8)
	case 1: // another R, which decodes or not
		s.sig[rng.Intn(32)] ^= 1 << rng.Intn(8)
	case 2: // another message
		s.message = append([]byte{}, s.message...)
		s.message[rng.Intn(len(s.message))] ^= 1 << rng.Intn(8)
	case 3: // S of l or more
		s.sig[63] |= 0xe0
	case 4: // everything
		rng.Read(s.sig[:])
	}
}

// check verifies a batch and compares all verdicts.
func check(t *testing.T, v *Verifier, batch []signed) {
	t.Helper()
	v.Reset()
	index := make([]int, len(batch))
	all := true
	for i := range batch {
		index[i] = batch[i].add(v)
		all = all && batch[i].valid
	}
	if got := v.Verify(); got != all {
		t.Fatalf("batch of %d: all good: %v, want %v", len(batch), got, all)
	}
	for i := range batch {
		if got := v.Valid(index[i]); got != batch[i].valid {
			t.Fatalf("batch of %d, signature %d (member %d): valid is %v, want %v", len(batch), i, batch[i].member, got,
				batch[i].valid)
		}
	}
}

// warm makes a verifier whose KeySet has all the tables that it will have.
func warm(b backend.Backend, c *committee) *Verifier {
	set := newKeySet(b, c.keys)
	v := newVerifier(b, set)
	votes := c.votes(rand.New(rand.NewSource(99)), 60*len(c.keys))
	for range 2 {
		for i := range votes {
			votes[i].add(v)
		}
		v.Verify()
		v.Reset()
	}
	if making, ok := set.members.(interface{ Wait() }); ok { // in the background
		making.Wait()
	}
	return v
}

func TestBatchNamesExactlyTheBad(t *testing.T) {
	c := newCommittee(4)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		rng := rand.New(rand.NewSource(1))
		for _, v := range []*Verifier{newVerifier(b, newKeySet(b, c.keys)), warm(b, c)} {
			for _, n := range []int{0, 1, 2, 3, 5, 23, 24, 25, 64, 65, 129, 400} {
				batch := append(c.votes(rng, n/2), orders(rng, n-n/2)...)
				rng.Shuffle(n, func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
				check(t, v, batch)
				for _, bad := range []int{1, 2, n / 3, n} {
					spoiled := append([]signed{}, batch...)
					for range min(bad, n) {
						spoiled[rng.Intn(n)].spoil(rng)
					}
					check(t, v, spoiled)
				}
			}
		}
	})
}

// everyPosition is the sizes of batches of which TestOneBadAtEveryPosition spoils every signature in turn: around the
// limits of lanes, groups and crossovers, and, where that takes milliseconds, as large as nodes have them.
var everyPosition = map[string][]int{
	"generic": {1, 2, 3, 7, 8, 9, 16, 17, 64, 65},
	"voi":     {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 25, 48, 63, 64, 65, 128, 256},
	"ifma":    {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 24, 25, 48, 63, 64, 65, 87, 88, 128, 191, 192, 256, 1024, 1100},
}

// TestOneBadAtEveryPosition is about the search for the bad one. Some of the batches come after a bad one, some after a
// good one, and some to a verifier that has seen none, which go about it differently.
func TestOneBadAtEveryPosition(t *testing.T) {
	c := newCommittee(4)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		rng := rand.New(rand.NewSource(2))
		v := warm(b, c)
		sizes, large := everyPosition[b.Name()], []int{200, 1100, 2100}
		if b.Name() == "generic" || testing.Short() { // nothing to search
			large = large[:1]
		}
		if testing.Short() {
			sizes = sizes[:8]
		}
		for _, n := range sizes {
			spoilEach(t, b, v, rng, orders(rng, n))
			spoilEach(t, b, v, rng, c.votes(rng, n))
			if n <= 65 {
				spoilEach(t, b, v, rng, append(orders(rng, n-n/4), c.votes(rng, n/4)...))
			}
		}
		for _, n := range large { // the last one is more than a backend takes at once
			batch := orders(rng, n)
			for _, i := range []int{0, n/2 - 1, n / 2, n - 53, n - 52, n - 1} {
				spoiled := append([]signed{}, batch...)
				spoiled[i].spoil(rng)
				check(t, v, spoiled)
			}
		}
	})
}

// spoilEach checks the batch with each of its signatures spoiled in turn: mostly by another S, which only the equation
// can tell.
func spoilEach(t *testing.T, b backend.Backend, v *Verifier, rng *rand.Rand, batch []signed) {
	for i := range batch {
		honest := batch[i]
		if i%4 == 0 {
			batch[i].spoil(rng)
		} else {
			batch[i].sig[32+rng.Intn(31)] ^= 1 << rng.Intn(8)
			batch[i].valid = false
		}
		at := v
		if i%32 == 1 {
			at = newVerifier(b, v.members)
		}
		check(t, at, batch)
		batch[i] = honest
		if i%8 == 0 {
			check(t, v, batch)
		}
	}
}

// TestErrorsThatCancel: two responses S with errors that add up to nothing would pass an equation without coefficients,
// and so would the messages of two orders exchanged where the keys are the same.
func TestErrorsThatCancel(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		rng := rand.New(rand.NewSource(8))
		v := newVerifier(b, nil)
		batch := orders(rng, 40)
		for i := 0; i+1 < len(batch); i += 2 {
			spoiled := append([]signed{}, batch...)
			x, y := &spoiled[i], &spoiled[i+1]
			if x.sig[32] == 0xff || y.sig[32] == 0 {
				continue
			}
			x.sig[32]++
			y.sig[32]--
			x.valid, y.valid = false, false
			check(t, v, spoiled)
		}
		seed := [SeedSize]byte{9}
		key := NewPrivateKey(&seed)
		for i := range batch {
			batch[i].key = key.Public()
			key.Sign(&batch[i].sig, batch[i].message)
		}
		check(t, v, batch)
		batch[3].message, batch[30].message = batch[30].message, batch[3].message
		batch[3].valid, batch[30].valid = false, false
		check(t, v, batch)
	})
}

// TestGoroutinesShareKeySet is for the race detector: all earn the tables at the same time.
func TestGoroutinesShareKeySet(t *testing.T) {
	c := newCommittee(3)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		set := newKeySet(b, c.keys)
		var wg sync.WaitGroup
		for seed := range 4 {
			batch := c.votes(rand.New(rand.NewSource(int64(seed))), 40)
			wg.Go(func() {
				v := newVerifier(b, set)
				for range 8 {
					for i := range batch {
						batch[i].add(v)
					}
					if !v.Verify() {
						t.Error("a good batch was refused")
					}
					v.Reset()
				}
			})
		}
		wg.Wait()
	})
}

func benchmarkVerify(b *testing.B, v *Verifier, batch []signed) {
	perSignature(b, len(batch), func() {
		for i := range batch {
			batch[i].add(v)
		}
		v.Verify()
		v.Reset()
	})
}

// perSignature runs f, which handles n signatures, and reports the time for each: by the clock, and of this process on
// its processors, which on a shared machine says more.
func perSignature(b *testing.B, n int, f func()) {
	f() // so that memory has its size
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		f()
	}
	cpu := cpuTime() - before
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/signature")
	b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(b.N*n), "cpu-µs/signature")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkVote(b *testing.B) {
	for _, keys := range []int{4, 20} {
		c := newCommittee(keys)
		for _, size := range []int{1, 8, 64, 256, 1024} {
			for _, backend := range backends {
				if backend.Available() != nil {
					continue
				}
				b.Run(fmt.Sprintf("keys=%d/batch=%d/backend=%s", keys, size, backend.Name()), func(b *testing.B) {
					benchmarkVerify(b, warm(backend, c), c.votes(rand.New(rand.NewSource(1)), size))
				})
			}
		}
	}
}

// BenchmarkOrder: each order by another sender, whose key the verifier knows from earlier batches or has never seen.
func BenchmarkOrder(b *testing.B) {
	for _, size := range []int{1, 2, 4, 8, 16, 64, 256, 1024} {
		for _, backend := range backends {
			if backend.Available() != nil {
				continue
			}
			b.Run(fmt.Sprintf("keys=known/batch=%d/backend=%s", size, backend.Name()), func(b *testing.B) {
				v, batch := newVerifier(backend, nil), orders(rand.New(rand.NewSource(1)), size)
				for range 3 { // so that the keys are kept
					for i := range batch {
						batch[i].add(v)
					}
					v.Verify()
					v.Reset()
				}
				benchmarkVerify(b, v, batch)
			})
			if size != 1 && size != 1024 {
				continue
			}
			b.Run(fmt.Sprintf("keys=new/batch=%d/backend=%s", size, backend.Name()), func(b *testing.B) {
				benchmarkNewSenders(b, backend, size)
			})
		}
	}
}

// benchmarkNewSenders checks orders of senders whom the verifier has never seen. When all have been used, another verifier
// takes them, which begins with others, so that its memory has its size; the clock stands meanwhile.
func benchmarkNewSenders(b *testing.B, backend backend.Backend, size int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	rng := rand.New(rand.NewSource(1))
	const supply = 8
	first, all := orders(rng, size), orders(rng, supply*size)
	var v *Verifier
	var ready []signed
	var cpu time.Duration
	for b.Loop() {
		if len(ready) == 0 {
			b.StopTimer()
			v, ready = newVerifier(backend, nil), all
			for i := range first {
				first[i].add(v)
			}
			v.Verify()
			v.Reset()
			b.StartTimer()
		}
		batch := ready[:size]
		ready = ready[size:]
		began := threadTime()
		for i := range batch {
			batch[i].add(v)
		}
		if !v.Verify() {
			b.Fatal("refused")
		}
		v.Reset()
		cpu += threadTime() - began
	}
	b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(b.N*size), "cpu-µs/signature")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*size), "µs/signature")
}

func BenchmarkSign(b *testing.B) {
	key := newCommittee(1).private[0]
	for _, size := range []int{1, 8, 16, 64} {
		for _, backend := range backends {
			if backend.Available() != nil {
				continue
			}
			b.Run(fmt.Sprintf("batch=%d/backend=%s", size, backend.Name()), func(b *testing.B) {
				with(b, backend)
				sigs := make([]Signature, size)
				messages := make([][]byte, size)
				for i := range messages {
					messages[i] = make([]byte, messageSize)
				}
				perSignature(b, size, func() { key.SignBatch(sigs, messages) })
			})
		}
	}
}
