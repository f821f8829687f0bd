package sim

import (
	"encoding/binary"
	"fmt"

	"fastpay/codec"
)

// facts is what the checker knows of the world, from outside: who has how much, what owners signed, what was certified.
// It counts everything itself and uses nothing of what it checks but decoded fields.
type facts struct {
	w        *World
	ids      map[codec.Address]int32
	accounts []fact
	signed   map[digest]struct{} // transfers that their owners signed
	checked  map[digest]struct{} // certificates, by their bytes, that passed checkQuorum
	minted   int64               // initial balances and what the Primary took in
	both     bool                // certificates for both orders are shown to one process alone, which is no world: no S1
}

// fact is what is known of an account.
type fact struct {
	address   codec.Address
	initial   int64
	funded    int64    // by transactions of the Primary
	certified []digest // by number; zero where there is none
	orders    []codec.Certificate
}

// id numbers the accounts.
func (f *facts) id(a *codec.Address) int32 {
	if i, ok := f.ids[*a]; ok {
		return i
	}
	i := int32(len(f.accounts))
	f.ids[*a] = i
	f.accounts = append(f.accounts, fact{address: *a})
	return i
}

// endow makes an initial account.
func (f *facts) endow(a *codec.Address, amount int64) {
	f.accounts[f.id(a)].initial = amount
	f.minted += amount
}

// sign notes that the owner signed an order.
func (f *facts) sign(o codec.Order) { f.signed[transferDigest(o)] = struct{}{} }

// checkOwner is S9.
func (f *facts) checkOwner(o codec.Order, who string) {
	if _, ok := f.signed[transferDigest(o)]; !ok {
		f.w.fail(propertyS9, fmt.Sprintf("%s took an order that its owner never signed: %s", who, describeOrder(o)))
	}
}

// certificate checks a certificate that somebody correct takes for good: S1, S3, S9.
func (f *facts) certificate(c codec.Certificate, who string) {
	raw := hash128(nil, c.Bytes(), 1)
	if _, ok := f.checked[raw]; ok {
		return
	}
	o := c.Order()
	f.checkOwner(o, who)
	if weight := f.weight(c); !f.w.plan.quorum(weight) {
		f.w.fail(propertyS3, fmt.Sprintf("%s took a certificate with votes of weight %d, %d entries: %s", who, weight,
			c.NumVotes(), describeOrder(o)))
		return
	}
	f.checked[raw] = struct{}{}
	a, number, content := &f.accounts[f.id(o.Sender())], o.SequenceNumber(), transferDigest(o)
	if number > 1<<20 {
		f.w.fail(propertyS2, fmt.Sprintf("%s took a certificate with number %d", who, number))
		return
	}
	for uint64(len(a.certified)) <= number {
		a.certified = append(a.certified, digest{})
		a.orders = append(a.orders, codec.Certificate{})
	}
	switch a.certified[number] {
	case digest{}:
		a.certified[number] = content
		a.orders[number], _ = codec.ParseCertificate(append([]byte(nil), c.Bytes()...))
		f.w.count.Certificates++
	case content:
	default:
		if f.both {
			return
		}
		f.w.fail(propertyS1, fmt.Sprintf("two certificates: %s and %s", describeOrder(o), describeOrder(a.orders[number].Order())))
	}
}

// weight is that of the members whose votes in c are good, each once; 0 if the owner's signature is not.
func (f *facts) weight(c codec.Certificate) (weight uint64) {
	var seen uint64
	var buf [codec.MaxSignedSize]byte
	signed := c.Order().AppendSignedBytes(buf[:0])
	if !f.w.scheme.Verify(c.Order().Sender(), signed, c.Order().Signature()) {
		return 0
	}
	for i := range c.NumVotes() {
		name, sig := c.Vote(i)
		if m, ok := f.w.memberIndex[*name]; ok && seen>>m&1 == 0 && f.w.scheme.Verify(name, signed, sig) {
			seen |= 1 << m
			weight += f.w.plan.weight(m)
		}
	}
	return weight
}

// quorumOf is more than two thirds, for members of weight 1.
func quorumOf(members int) int { return 2*members/3 + 1 }

// shardOf is where an account lives.
func shardOf(a *codec.Address, shards int) int {
	return int(binary.LittleEndian.Uint32(a[28:]) % uint32(shards))
}

func describeOrder(o codec.Order) string {
	return fmt.Sprintf("%x pays %d to %s %x, number %d", o.Sender()[:3], o.Amount(), o.RecipientKind(), o.Recipient()[:3],
		o.SequenceNumber())
}
