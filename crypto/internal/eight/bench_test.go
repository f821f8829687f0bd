package eight

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/voi"
)

// BenchmarkVoteCrossover times few votes in eight lanes and one by one, whatever the limit says: it is where the lines
// cross.
func BenchmarkVoteCrossover(b *testing.B) {
	eight := Backend{voi.Backend{}}
	if err := eight.Available(); err != nil {
		b.Skip(err)
	}
	for _, n := range []int{1, 2, 3, 4, 8, 16} {
		keys, checks := makeChecks(n, true)
		m := eight.NewMembers(keys).(*members)
		m.make()
		c := eight.NewChecker(m).(*checker)
		perSignature(b, fmt.Sprintf("batch=%d/lanes=8", n), n, func() bool {
			c.votes = pointers(checks)
			c.checkVotes()
			return checks[n-1].Valid
		})
		for range 100 { // the members earn their tables
			c.scalar.Check(checks)
		}
		perSignature(b, fmt.Sprintf("batch=%d/lanes=1", n), n, func() bool { return c.scalar.Check(checks) })
	}
}

// BenchmarkOrderCrossover times few orders each for itself, by one equation, and by the scalar backend, with keys whose
// multiples are known and with others.
func BenchmarkOrderCrossover(b *testing.B) {
	eight := Backend{voi.Backend{}}
	if err := eight.Available(); err != nil {
		b.Skip(err)
	}
	for _, n := range []int{1, 2, 3, 4, 8, 9, 12, 16, 24, 32, 48, 64, 80, 96} {
		_, checks := makeChecks(n, false)
		list := pointers(checks)
		c := eight.NewChecker(nil).(*checker)
		y := &c.system
		for _, known := range []bool{true, false} {
			if !known && n > eachKnown {
				continue // emptying a large cache would be most of it
			}
			run := func(how string, f func()) {
				if known {
					y.senders.setPlaces(cacheKeys)
					for range 2 {
						y.decode(c, list)
						y.senders.keep(c.curve)
					}
				}
				perSignature(b, fmt.Sprintf("known=%v/batch=%d/way=%s", known, n, how), n, func() bool {
					if !known {
						clear(y.senders.tags)
					}
					y.decode(c, list)
					c.inputs.fill(y.unknowns, &c.hashing)
					f()
					return checks[n-1].Valid
				})
			}
			y.senders.setPlaces(cacheFew)
			run("each", func() { y.search(c, 0) })
			run("equation", func() { y.parts(c, n, n) })
		}
		perSignature(b, fmt.Sprintf("batch=%d/way=scalar", n), n, func() bool { return c.scalar.Check(checks) })
	}
}

// perSignature runs f, which checks n signatures and tells whether it did, and reports the time for each.
func perSignature(b *testing.B, name string, n int, f func() bool) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			if !f() {
				b.Fatal("refused")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/signature")
	})
}

func pointers(checks []backend.Check) (list []*backend.Check) {
	for i := range checks {
		list = append(list, &checks[i])
	}
	return list
}

// BenchmarkSignCrossover is the same for signing.
func BenchmarkSignCrossover(b *testing.B) {
	eight := Backend{voi.Backend{}}
	if err := eight.Available(); err != nil {
		b.Skip(err)
	}
	seed := [32]byte{7}
	secret := &backend.Secret{Seed: seed}
	for _, n := range []int{1, 2, 3, 4, 8, 16, 64} {
		messages := make([][]byte, n)
		for i := range messages {
			messages[i] = make([]byte, 92)
		}
		signatures := make([][64]byte, n)
		g := signers.Get().(*signer)
		b.Run(fmt.Sprintf("batch=%d/lanes=8", n), func(b *testing.B) {
			for b.Loop() {
				g.sign(secret, signatures, messages)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/signature")
		})
		b.Run(fmt.Sprintf("batch=%d/lanes=1", n), func(b *testing.B) {
			for b.Loop() {
				eight.Scalar.Sign(secret, signatures, messages)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/signature")
		})
	}
}

// makeChecks signs n messages, with 20 keys as votes, or each with its own.
func makeChecks(n int, votes bool) (keys [][32]byte, checks []backend.Check) {
	for i := range n {
		seed := [32]byte{1, byte(i), byte(i >> 8)}
		member := int32(-1)
		if votes {
			seed[1], seed[2] = byte(i%20), 0
			member = int32(i % 20)
		}
		private := ed25519.NewKeyFromSeed(seed[:])
		message := make([]byte, 92)
		message[0], message[1] = byte(i), byte(i>>8)
		key := [32]byte(private[32:])
		signature := [64]byte(ed25519.Sign(private, message))
		if len(keys) < 20 {
			keys = append(keys, key)
		}
		checks = append(checks, backend.Check{Key: &key, Message: message, Signature: &signature, Member: member})
	}
	return keys, checks
}
