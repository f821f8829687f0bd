package ifma_test

import (
	"crypto/ed25519"
	"fmt"

	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// Checking votes: challenges come from package lanes, the verdict is one bool for each.
func ExampleTables_VerifyVotes() {
	var keys [][32]byte
	var private []ed25519.PrivateKey
	for i := range 3 {
		private = append(private, ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i))))
		keys = append(keys, [32]byte(private[i].Public().(ed25519.PublicKey)))
	}
	tables, err := ifma.NewTables(keys, ifma.TableOptions{BaseWindow: 6, KeyWindow: 6})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tables.Close()

	members, messages := []int32{2, 0, 1}, [][]byte{[]byte("one"), []byte("two"), []byte("three")}
	signatures := make([][64]byte, len(members))
	r, a := make([]*[32]byte, len(members)), make([]*[32]byte, len(members))
	for i, member := range members {
		signatures[i] = [64]byte(ed25519.Sign(private[member], messages[i]))
		r[i], a[i] = (*[32]byte)(signatures[i][:32]), &keys[member]
	}
	messages[1] = []byte("another two")

	challenges, hashing := make([][32]byte, len(members)), new(lanes.Scratch)
	lanes.HashChallenges(challenges, r, a, messages, hashing)
	ok := make([]bool, len(members))
	tables.VerifyVotes(ok, members, signatures, challenges, ifma.NewScratch())
	fmt.Println(ok)
	// Output: [true false true]
}

// Checking orders: one equation for the batch, and each for itself if it fails.
func ExampleSum() {
	const n = 5
	encodings, senders := make([]byte, 0, 32*n), make([]byte, 0, 32*n)
	signatures, messages := make([][64]byte, n), make([][]byte, n)
	r, a := make([]*[32]byte, n), make([]*[32]byte, n)
	for i := range n {
		private := ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i)))
		public := [32]byte(private.Public().(ed25519.PublicKey))
		messages[i] = fmt.Append(nil, "order ", i)
		signatures[i] = [64]byte(ed25519.Sign(private, messages[i]))
		r[i], a[i] = (*[32]byte)(signatures[i][:32]), &public
		encodings, senders = append(encodings, signatures[i][:32]...), append(senders, public[:]...)
	}
	challenges, hashing := make([][32]byte, n), new(lanes.Scratch)
	lanes.HashChallenges(challenges, r, a, messages, hashing)

	scratch, points, keys, ok := ifma.NewScratch(), make([]ifma.CachedPoint, n), make([]ifma.Key, n), make([]bool, n)
	scratch.DecodePoints(points, ok, encodings, 32)
	scratch.DecodeKeys(keys, ok, senders, 32)

	// sum(z*R) + sum(z*k)*A - sum(z*S)*B, with a random z for each order.
	var coefficients lanes.Coefficients
	z := make([][16]byte, n)
	coefficients.Draw(z)
	sum, wide := ifma.NewSum(), make([]lanes.Wide, n+1)
	sum.Begin(n)
	for i := range n {
		sum.AddShort(&points[i], &z[i])
		wide[i].AddProduct(&z[i], &challenges[i])
		wide[n].AddProduct(&z[i], (*[32]byte)(signatures[i][32:]))
	}
	reduced := make([][32]byte, n+1)
	lanes.ReduceWide(reduced, wide, hashing)
	for i := range n {
		sum.AddKey(&keys[i], &reduced[i])
	}
	sum.SubBase(&reduced[n])
	fmt.Println(sum.Vanishes())
	// Output: true
}
