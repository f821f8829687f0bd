package eight

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/voi"
)

// BenchmarkCrossover times small batches in eight lanes and one by one, whatever the limits say: they are where the lines
// cross.
func BenchmarkCrossover(b *testing.B) {
	eight := Backend{voi.Backend{}}
	if err := eight.Available(); err != nil {
		b.Skip(err)
	}
	for _, kind := range []string{"vote", "order"} {
		for _, n := range []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32} {
			keys, checks := makeChecks(n, kind == "vote")
			m := eight.NewMembers(keys).(*members)
			m.make()
			c := eight.NewChecker(m).(*checker)
			list := make([]*backend.Check, n)
			for i := range list {
				list[i] = &checks[i]
			}
			b.Run(fmt.Sprintf("%s/batch=%d/lanes=8", kind, n), func(b *testing.B) {
				for b.Loop() {
					c.leftover = c.leftover[:0]
					if c.votes, c.rest = list, list; kind == "vote" {
						c.checkVotes()
					} else {
						c.system.check(c, append(c.rest[:0:0], list...))
					}
					if !checks[n-1].Valid {
						b.Fatal("refused")
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/signature")
			})
			b.Run(fmt.Sprintf("%s/batch=%d/lanes=1", kind, n), func(b *testing.B) {
				for range 100 { // the members earn their tables
					c.scalar.Check(checks)
				}
				for b.Loop() {
					if !c.scalar.Check(checks) {
						b.Fatal("refused")
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/signature")
			})
		}
	}
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
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/signature")
		})
		b.Run(fmt.Sprintf("batch=%d/lanes=1", n), func(b *testing.B) {
			for b.Loop() {
				eight.Scalar.Sign(secret, signatures, messages)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/signature")
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
