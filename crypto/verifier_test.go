package crypto

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"fastpay/crypto/internal/backend"
)

func clone(s signed) signed {
	s.message = append([]byte{}, s.message...)
	return s
}

func TestEqualSignaturesAreOneCheck(t *testing.T) {
	c := newCommittee(3)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		rng := rand.New(rand.NewSource(4))
		v := newVerifier(b, newKeySet(b, c.keys))
		batch := append(c.votes(rng, 90), orders(rng, 90)...)
		for round := range 3 { // the table of equal ones is kept over batches
			for i := range batch {
				if got := batch[i].add(v); got != i {
					t.Fatalf("round %d: index %d, want %d", round, got, i)
				}
			}
			for _, i := range rng.Perm(len(batch)) {
				copied := clone(batch[i])
				if got := copied.add(v); got != i {
					t.Fatalf("round %d: the same signature got index %d, then %d", round, i, got)
				}
			}
			vote := clone(batch[1])
			vote.member = -1 // as an order by that key
			if got := vote.add(v); got != 1 {
				t.Errorf("a vote added as an order got index %d, want 1", got)
			}
			// The same signature bytes with another message or by another key are another check.
			other := clone(batch[0])
			other.message[5] ^= 1
			if got := other.add(v); got != len(batch) {
				t.Errorf("another message: index %d, want %d", got, len(batch))
			}
			stolen := clone(batch[0])
			stolen.member = 2
			if got := stolen.add(v); got != len(batch)+1 {
				t.Errorf("another key: index %d, want %d", got, len(batch)+1)
			}
			if v.Len() != len(batch)+2 {
				t.Errorf("Len is %d, want %d", v.Len(), len(batch)+2)
			}
			if v.Valid(0) {
				t.Error("valid before Verify")
			}
			if v.Verify() {
				t.Error("a vote for another transfer passed")
			}
			for i := range v.Len() {
				if v.Valid(i) != (i < len(batch)) {
					t.Errorf("index %d: %v", i, v.Valid(i))
				}
			}
			v.Reset()
			if v.Len() != 0 || !v.Verify() {
				t.Error("an empty batch is good")
			}
			v.Reset()
		}
	})
}

// TestCollidingSignatures: others choose signatures, so those that differ in one bit only are told apart and cost no more.
func TestCollidingSignatures(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		v := newVerifier(b, nil)
		base := orders(rand.New(rand.NewSource(5)), 1)[0]
		batch := make([]signed, SignatureSize*8)
		for i := range batch {
			batch[i] = base
			batch[i].sig[i/8] ^= 1 << (i % 8)
			batch[i].valid = false
		}
		check(t, v, append(batch, base))
	})
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	c := newCommittee(4)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		with(t, b)
		rng := rand.New(rand.NewSource(6))
		v := warm(b, c)
		for _, n := range []int{1, 3, 60, 300} {
			batch := append(c.votes(rng, n), orders(rng, n)...)
			if n == 60 {
				batch[3].spoil(rng)
				batch[100].spoil(rng)
			}
			run := func() {
				for i := range batch {
					batch[i].add(v)
				}
				v.Verify()
				for i := range batch {
					v.Valid(i)
				}
				v.Reset()
			}
			run()
			if allocs := testing.AllocsPerRun(20, run); allocs != 0 {
				t.Errorf("%d votes and %d orders: %v allocations", n, n, allocs)
			}
		}
		s := orders(rng, 1)[0]
		if allocs := testing.AllocsPerRun(20, func() { Verify(&s.key, s.message, &s.sig) }); allocs != 0 {
			t.Errorf("Verify: %v allocations", allocs)
		}
		if b.Name() == "generic" {
			return // its signing is the standard library's, which allocates
		}
		sigs, messages := make([]Signature, 70), make([][]byte, 70)
		for i := range messages {
			messages[i] = s.message
		}
		if allocs := testing.AllocsPerRun(20, func() { c.private[0].SignBatch(sigs, messages) }); allocs != 0 {
			t.Errorf("SignBatch: %v allocations", allocs)
		}
		if allocs := testing.AllocsPerRun(20, func() { c.private[0].Sign(&sigs[0], s.message) }); allocs != 0 {
			t.Errorf("Sign: %v allocations", allocs)
		}
	})
}

func TestCheckKey(t *testing.T) {
	good := newCommittee(1).keys[0]
	noncanonical := PublicKey{0: 0xf0, 31: 0x7f} // y = p + 3 for a y that is a point
	for i := 1; i < 31; i++ {
		noncanonical[i] = 0xff
	}
	cases := []struct {
		name string
		key  PublicKey
		want error
	}{
		{"good", good, nil},
		{"no point", PublicKey{2}, ErrNotPoint},
		{"y above p", noncanonical, ErrNotCanonical},
		{"neutral", PublicKey{1}, ErrSmallOrder},
		{"zero", PublicKey{}, ErrSmallOrder},
		{"neutral with a sign", PublicKey{0: 1, 31: 0x80}, ErrNotCanonical},
	}
	for _, c := range cases {
		if got := CheckKey(&c.key); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, p := range curve.EIGHT_TORSION {
		var encoded curve.CompressedEdwardsY
		key := PublicKey(*encoded.SetEdwardsPoint(p))
		if got := CheckKey(&key); got != ErrSmallOrder {
			t.Errorf("torsion point %x: %v", key, got)
		}
	}
	if _, err := NewKeySet([]PublicKey{good, {2}}); err == nil || err.Error() != "key 1: "+ErrNotPoint.Error() {
		t.Errorf("NewKeySet: %v", err)
	}
	if set, err := NewKeySet([]PublicKey{good, good}); err != nil || set.Len() != 2 {
		t.Errorf("NewKeySet of a good key twice: %v", err)
	}
}

func TestSelect(t *testing.T) {
	before := Backend()
	defer Select(before)
	for _, name := range Backends() {
		if err := Select(name); err != nil || Backend() != name {
			t.Errorf("Select(%q): %v, in use is %q", name, err, Backend())
		}
	}
	if err := Select("none"); err == nil || Backend() == "none" {
		t.Errorf("an unknown backend was selected: %v", err)
	}
}

// TestEnvironmentSelects runs this test again in a process with the variable set.
func TestEnvironmentSelects(t *testing.T) {
	const answer = "backend in use: "
	if os.Getenv("FASTPAY_CRYPTO_TEST") != "" {
		fmt.Printf("%s%s, error: %v\n", answer, Backend(), Err())
		return
	}
	best := Backends()[len(Backends())-1]
	for name, want := range map[string]string{
		"":        best + ", error: <nil>",
		"generic": "generic, error: <nil>",
		"voi":     "voi, error: <nil>",
		"slow":    best + `, error: crypto: unknown backend "slow"`,
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironmentSelects$")
		cmd.Env = append(os.Environ(), "FASTPAY_CRYPTO_TEST=1", EnvBackend+"="+name)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), answer+want) {
			t.Errorf("%s=%s: %v, %s", EnvBackend, name, err, out)
		}
	}
}

// FuzzVerdictMatchesVoi puts one signature into batches of every backend, as an order and as a vote of a member with a
// table, and asks for the verdict of voi's verifier.
func FuzzVerdictMatchesVoi(f *testing.F) {
	rng := rand.New(rand.NewSource(7))
	honest := orders(rng, 6)
	for _, s := range honest[:2] {
		f.Add(s.key[:], s.sig[:], s.message, byte(0))
	}
	f.Add(make([]byte, 32), make([]byte, 64), []byte("use ristretto255"), byte(3))
	committees := newCommittee(2)
	verifiers := sync.OnceValue(func() map[string]*Verifier { // of a worker, not of the process that starts them
		made := make(map[string]*Verifier)
		for _, b := range backends {
			if b.Available() == nil {
				made[b.Name()] = warm(b, committees)
			}
		}
		return made
	})
	zip215 := &voi.Options{Verify: voi.VerifyOptionsZIP_215}
	f.Fuzz(func(t *testing.T, key, sig, message []byte, mode byte) {
		if len(key) != PublicKeySize || len(sig) != SignatureSize {
			return
		}
		s := signed{key: PublicKey(key), member: -1, message: message, sig: Signature(sig)}
		switch mode % 4 {
		case 1: // a member's key
			s.member = int(mode/4) % 2
			s.key = committees.keys[s.member]
		case 2: // an honest vote, S and R of which the input changes
			s.member = int(mode/4) % 2
			s.key = committees.keys[s.member]
			committees.private[s.member].Sign(&s.sig, message)
			for i := range s.sig {
				s.sig[i] ^= sig[i]
			}
		case 3: // S = 0: good when R and A are of small order
			clear(s.sig[32:])
		}
		s.valid = voi.VerifyWithOptions(s.key[:], message, s.sig[:], zip215)
		for name, v := range verifiers() {
			check(t, v, []signed{s})
			if name == "generic" { // a batch is nothing but single signatures there, each of 25 µs
				continue
			}
			check(t, v, append([]signed{s}, honest...))
			orderOnly := s
			orderOnly.member = -1
			check(t, v, append([]signed{orderOnly}, honest[:4]...))
		}
	})
}
