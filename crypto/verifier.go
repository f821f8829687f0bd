package crypto

import (
	"bytes"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// Verify reports whether sig is a signature of message by key, by the rule of ZIP-215.
func Verify(key *PublicKey, message []byte, sig *Signature) bool {
	return voi.VerifyWithOptions(key[:], message, sig[:], zip215)
}

type entry struct {
	key     *PublicKey
	message []byte
	sig     *Signature
	valid   bool
}

// Verifier checks a batch of signatures. One goroutine owns it; Reset makes it ready for the next batch.
type Verifier struct {
	members *KeySet
	entries []entry
}

// NewVerifier makes an empty batch. members are the keys that AddVote refers to; nil when there are only orders.
func NewVerifier(members *KeySet) *Verifier { return &Verifier{members: members} }

// AddOrder adds a signature of any key and returns its index. The arguments are referenced until Verify returns.
func (v *Verifier) AddOrder(sender *PublicKey, message []byte, sig *Signature) int {
	for i := range v.entries {
		e := &v.entries[i]
		if *e.sig == *sig && *e.key == *sender && bytes.Equal(e.message, message) {
			return i
		}
	}
	v.entries = append(v.entries, entry{key: sender, message: message, sig: sig})
	return len(v.entries) - 1
}

// AddVote adds a signature of the member with this index in the KeySet.
func (v *Verifier) AddVote(member int, message []byte, sig *Signature) int {
	return v.AddOrder(&v.members.keys[member], message, sig)
}

// Len is the number of different signatures added.
func (v *Verifier) Len() int { return len(v.entries) }

// Verify checks all and reports whether all are good.
func (v *Verifier) Verify() bool {
	all := true
	for i := range v.entries {
		e := &v.entries[i]
		e.valid = Verify(e.key, e.message, e.sig)
		all = all && e.valid
	}
	return all
}

// Valid is the verdict of index i, after Verify.
func (v *Verifier) Valid(i int) bool { return v.entries[i].valid }

// Reset empties the batch.
func (v *Verifier) Reset() { v.entries = v.entries[:0] }
