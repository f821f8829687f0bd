package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"

	"fastpay/codec"
	"fastpay/crypto"
)

// workload is the ring: in each round account i pays 1 to account i-1, so every account keeps what it has, and with S
// shards about (S-1)/S of the payments cross shards. Payment p belongs to round p/len(accounts), which is also its
// sequence number. All of it follows from seed, committee size and number of accounts.
type workload struct {
	seed     uint64
	accounts []codec.Address
	private  []*crypto.PrivateKey // of the accounts that pay; made by expand, when something has to be signed
	members  []*crypto.PrivateKey // of the authorities; the first is measured
	names    []codec.Address      // of members
	voters   []int                // members whose votes are in every certificate: a quorum
}

// The money of the ring.
const (
	paymentAmount = 1
	// initialBalance keeps an account solvent when its payer is this many rounds behind it.
	initialBalance = 1 << 32
)

// newWorkload derives the committee's keys; the accounts' addresses are derived by expand, or come from a cache.
func newWorkload(seed uint64, committeeSize int) *workload {
	w := &workload{seed: seed, members: make([]*crypto.PrivateKey, committeeSize)}
	parallel(committeeSize, keyGrain, func(i int) { w.members[i] = deriveKey("authority", seed, i) })
	for _, key := range w.members {
		w.names = append(w.names, key.Public())
	}
	// None of the votes is by the measured authority, as in the prototype, so that it has to check all of them. Committees
	// too small for that need its vote.
	for i := range quorum(committeeSize) {
		w.voters = append(w.voters, (1+i)%committeeSize)
	}
	return w
}

// deriveKey is number i of the keys that seed gives for a purpose.
func deriveKey(purpose string, seed uint64, i int) *crypto.PrivateKey {
	b := append([]byte("fastpay bench "), purpose...)
	b = binary.LittleEndian.AppendUint64(b, seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(i))
	secret := sha256.Sum256(b)
	return crypto.NewPrivateKey(&secret)
}

// expand derives the keys of n accounts, and keeps those of the first signers.
func (w *workload) expand(n, signers int) {
	w.private = make([]*crypto.PrivateKey, min(n, signers))
	w.accounts = make([]codec.Address, n)
	parallel(n, keyGrain, func(i int) {
		key := deriveKey("account", w.seed, i)
		w.accounts[i] = key.Public()
		if i < signers {
			w.private[i] = key
		}
	})
}

// transfer is what account i pays in round r.
func (w *workload) transfer(i, round int) codec.Transfer {
	payee := i - 1
	if payee < 0 {
		payee = len(w.accounts) - 1
	}
	return codec.Transfer{
		Sender:         w.accounts[i],
		Recipient:      codec.Recipient{Kind: codec.FastPay, Address: w.accounts[payee]},
		Amount:         paymentAmount,
		SequenceNumber: uint64(round),
	}
}

// measured is the name of the authority under test.
func (w *workload) measured() codec.Address { return w.members[0].Public() }

// parallel calls f(0..n-1) on all CPUs; a goroutine takes grain items at a time.
func parallel(n, grain int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+grain-1)/grain) {
		wg.Go(func() {
			for {
				end := int(next.Add(int64(grain)))
				for i := end - grain; i < min(end, n); i++ {
					f(i)
				}
				if end >= n {
					return
				}
			}
		})
	}
	wg.Wait()
}

// keyGrain is how many keys a goroutine derives at a time, some 10 µs each.
const keyGrain = 16
