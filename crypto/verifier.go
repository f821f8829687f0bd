package crypto

import (
	"bytes"
	"hash/maphash"

	"fastpay/crypto/internal/backend"
)

// Verify reports whether sig is a signature of message by key, by the rule of ZIP-215 (see the package comment).
func Verify(key *PublicKey, message []byte, sig *Signature) bool {
	return current().Verify((*[PublicKeySize]byte)(key), message, (*[SignatureSize]byte)(sig))
}

// Verifier checks a batch of signatures: add them, Verify, ask for verdicts, Reset. One goroutine owns it. Once it has
// seen a batch of some size, it allocates nothing for batches of that size. There is no largest batch; the backends take
// what is above their own limit (2,048 for voi) in parts.
type Verifier struct {
	members *KeySet
	checker backend.Checker
	checks  []backend.Check
	done    bool // the verdicts are those of the checks

	// A hash table of the checks, so that equal ones are found. Its length is a power of two, and at least twice that of
	// checks. Slots of earlier batches count as empty. Signatures are chosen by others, so the hash has a secret seed.
	slots []slot
	batch uint32
	seed  maphash.Seed
}

type slot struct {
	batch uint32
	index int32
}

// slotsMin is the first length of the hash table.
const slotsMin = 64

// NewVerifier makes an empty batch. members are the keys that AddVote refers to; nil when only orders are added.
func NewVerifier(members *KeySet) *Verifier {
	if members == nil {
		return newVerifier(current(), nil)
	}
	return newVerifier(members.backend, members)
}

func newVerifier(b backend.Backend, members *KeySet) *Verifier {
	v := &Verifier{members: members, batch: 1, slots: make([]slot, slotsMin), seed: maphash.MakeSeed()}
	if members == nil {
		v.checker = b.NewChecker(nil)
	} else {
		v.checker = b.NewChecker(members.members)
	}
	return v
}

// AddOrder adds a signature of any key and returns its index. When the same signature of the same message by the same key
// is in the batch, all bytes equal, it returns the index of that one. The arguments are referenced until Reset, not
// copied, and must not change before Verify has returned.
func (v *Verifier) AddOrder(sender *PublicKey, message []byte, sig *Signature) int {
	return v.add((*[PublicKeySize]byte)(sender), -1, message, sig)
}

// AddVote adds a signature of the member with this index in the KeySet, and is otherwise like AddOrder.
func (v *Verifier) AddVote(member int, message []byte, sig *Signature) int {
	return v.add(&v.members.keys[member], int32(member), message, sig)
}

func (v *Verifier) add(key *[PublicKeySize]byte, member int32, message []byte, sig *Signature) int {
	if 2*len(v.checks) >= len(v.slots) {
		v.grow()
	}
	slot := v.find(key, message, (*[SignatureSize]byte)(sig))
	if slot.batch == v.batch {
		if member >= 0 {
			v.checks[slot.index].Member = member
		}
		return int(slot.index)
	}
	slot.batch, slot.index = v.batch, int32(len(v.checks))
	v.checks = append(v.checks, backend.Check{
		Key: key, Message: message, Signature: (*[SignatureSize]byte)(sig), Member: member,
	})
	v.done = false
	return len(v.checks) - 1
}

// find returns the slot of this signature, or the empty slot where it belongs.
func (v *Verifier) find(key *[PublicKeySize]byte, message []byte, sig *[SignatureSize]byte) *slot {
	mask := uint64(len(v.slots) - 1)
	for at := maphash.Bytes(v.seed, sig[:]) & mask; ; at = (at + 1) & mask {
		s := &v.slots[at]
		if s.batch != v.batch {
			return s
		}
		c := &v.checks[s.index]
		if *c.Signature == *sig && *c.Key == *key && bytes.Equal(c.Message, message) {
			return s
		}
	}
}

func (v *Verifier) grow() {
	v.slots = make([]slot, 2*len(v.slots))
	for i := range v.checks {
		c := &v.checks[i]
		*v.find(c.Key, c.Message, c.Signature) = slot{v.batch, int32(i)}
	}
}

// Len is the number of signatures added, equal ones counted once: indices are below it.
func (v *Verifier) Len() int { return len(v.checks) }

// Verify checks all signatures of the batch and reports whether all are good. An empty batch is.
func (v *Verifier) Verify() bool {
	v.done = true
	return v.checker.Check(v.checks)
}

// Valid is the verdict of index i. Before Verify, or when something was added since, it is false.
func (v *Verifier) Valid(i int) bool { return v.done && v.checks[i].Valid }

// Reset empties the batch.
func (v *Verifier) Reset() {
	clear(v.checks) // keeps nothing of the caller's
	v.checks = v.checks[:0]
	v.done = false
	if v.batch++; v.batch == 0 {
		clear(v.slots)
		v.batch = 1
	}
}
