package bench

import (
	"fastpay/codec"
	"fastpay/crypto"
)

// archive keeps the votes of every certificate that was made, by payment, so that an authority that missed some can be
// brought up to date. Memory is taken as it fills.
type archive struct {
	quorum  int
	members []uint8 // quorum for each payment: who voted; members are fewer than 256
	votes   []crypto.Signature
	made    []bool
}

func newArchive(total, quorum int) *archive {
	return &archive{quorum: quorum, members: make([]uint8, total*quorum), votes: make([]crypto.Signature, total*quorum),
		made: make([]bool, total)}
}

func (a *archive) put(k, i, member int, vote *crypto.Signature) {
	a.members[k*a.quorum+i], a.votes[k*a.quorum+i] = uint8(member), *vote
	a.made[k] = true
}

// appendFrame appends the certificate of payment k, as a frame. entries is scratch for a quorum.
func (a *archive) appendFrame(dst []byte, o codec.Order, k int, w *workload, entries []codec.VoteEntry) []byte {
	for i := range entries {
		entries[i] = codec.VoteEntry{Authority: w.names[a.members[k*a.quorum+i]], Signature: a.votes[k*a.quorum+i]}
	}
	start := len(dst)
	dst = codec.AppendCertificate(codec.BeginFrame(dst), codec.NewCertificate(o, entries))
	codec.EndFrame(dst, start)
	return dst
}
