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

// workload is who pays whom: in each round every account pays 1. In the paper's ring account i pays account i-1, so every
// account keeps what it has, and with S shards about (S-1)/S of the payments cross shards; other mixes choose otherwise.
// Payment p belongs to round p/len(accounts), which is also its sequence number. All of it follows from seed, committee
// size, number of accounts and mix.
type workload struct {
	seed     uint64
	accounts []codec.Address
	private  []*crypto.PrivateKey // of the accounts that pay; made by expand, when something has to be signed
	members  []*crypto.PrivateKey // of the authorities; the first is measured
	names    []codec.Address      // of members
	payees   *payees              // nil for the ring; made by mixed
	voters   []int                // members whose votes are in every certificate: a quorum
	ring     *keyRing             // of earlier workloads of the same seed; nil when there are none
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
	if w.ring != nil {
		w.accounts, w.private = w.ring.first(w.seed, n)
		w.private = w.private[:min(n, signers)]
		return
	}
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

// keyRing keeps the keys of accounts for several workloads of one seed: that of an account does not depend on how many there
// are, and with one payment for each account it costs more to make than the payment's signatures.
type keyRing struct {
	seed     uint64
	accounts []codec.Address
	private  []*crypto.PrivateKey
}

// first is the keys of the first n accounts, which nobody changes.
func (r *keyRing) first(seed uint64, n int) ([]codec.Address, []*crypto.PrivateKey) {
	if r.seed != seed {
		*r = keyRing{seed: seed}
	}
	if from := len(r.accounts); from < n {
		r.accounts = append(r.accounts, make([]codec.Address, n-from)...)
		r.private = append(r.private, make([]*crypto.PrivateKey, n-from)...)
		parallel(n-from, keyGrain, func(i int) {
			r.private[from+i] = deriveKey("account", seed, from+i)
			r.accounts[from+i] = r.private[from+i].Public()
		})
	}
	return r.accounts[:n:n], r.private[:n:n]
}

// mixed makes m the workload's mix, once there are accounts.
func (w *workload) mixed(m Mix, shards int) {
	w.payees = nil
	if m != (Mix{}) {
		w.payees = m.arrange(w.seed, w.accounts, shards)
	}
}

// transfer is what account i pays in round r.
func (w *workload) transfer(i, round int) codec.Transfer {
	t := codec.Transfer{Sender: w.accounts[i], Amount: paymentAmount, SequenceNumber: uint64(round)}
	if w.payees == nil {
		payee := i - 1
		if payee < 0 {
			payee = len(w.accounts) - 1
		}
		t.Recipient = codec.Recipient{Kind: codec.FastPay, Address: w.accounts[payee]}
		return t
	}
	if p := w.payees; p.toPrimary(i, round) {
		t.Recipient = codec.Recipient{Kind: codec.Primary, Address: p.primary}
	} else {
		t.Recipient = codec.Recipient{Kind: codec.FastPay, Address: w.accounts[p.of(i, round, len(w.accounts))]}
	}
	if w.payees.UserData {
		t.UserData.Present = true
		binary.LittleEndian.PutUint64(t.UserData.Bytes[:], w.payees.draw(i, round, drawData))
	}
	return t
}

// withData reports whether payments have user data.
func (w *workload) withData() bool { return w.payees != nil && w.payees.UserData }

// redeemed is what left FastPay in the first rounds payments of account i.
func (w *workload) redeemed(i int, rounds uint64) uint64 {
	if w.payees == nil {
		return 0
	}
	return w.payees.redeemed(i, rounds)
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
