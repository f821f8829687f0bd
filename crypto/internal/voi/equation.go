package voi

import (
	"encoding/binary"
	"hash/maphash"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
	"fastpay/crypto/internal/lanes"
)

// system is one equation for many signatures: with random coefficients z_i,
//
//	[8]( Σ [z_i]R_i + Σ_keys [Σ z_i·k_i]A_key - [Σ z_i·S_i]B ) = 0.
//
// All signatures of one key share a term; keys are told apart by their encoding. The sums of products are kept as
// integers and reduced modulo l once. Signatures that can't be good whatever the equation says (S of l or more, R or A
// that do not decode) are marked bad before, and are no part of it.
type system struct {
	checker *checker
	random  lanes.Coefficients
	drawn   [][16]byte
	seed    maphash.Seed

	unknowns []unknown
	keys     []senderKey
	slots    []slot // hash table of keys; its length is a power of two
	batch    uint32 // which batch the slots in use belong to
	round    uint64 // which equation the sums of the keys belong to
	used     []int32
	terms    []edwards.Term
	two      [2]edwards.Term
	minus    edwards.Niels
	distrust bool // the batch before had a bad signature
	cache    keyCache
	summer   edwards.Summer
	walk     edwards.Walk
	total    [1]edwards.Point // not on a stack, where a point may lie across cache lines: that cost half as much again
}

// unknown is a signature of the system.
type unknown struct {
	check    *backend.Check
	key      int32
	ok       bool
	r        edwards.Niels
	s, k     edwards.Scalar
	zLo, zHi uint64 // below 2^126
}

// senderKey is a key, with the sum of z·k over its signatures.
type senderKey struct {
	bytes  *[32]byte
	hash   uint64
	ok     bool
	point  *edwards.Niels
	cached *cachedKey // its place, if it came before
	niels  edwards.Niels
	round  uint64
	sum    edwards.WideSum
}

type slot struct {
	batch uint32
	key   int32
}

// coefficientBits is the size of z, as package lanes draws it: the error of an equation is below 2^-125.
const coefficientBits = 126

func (y *system) init(c *checker) {
	y.checker = c
	y.seed = maphash.MakeSeed()
}

// check sets the verdicts of checks.
func (y *system) check(checks []*backend.Check) {
	y.begin(checks)
	y.decode()
	n := 0
	for i := range y.unknowns {
		if u := &y.unknowns[i]; u.ok && y.keys[u.key].ok {
			y.checker.challenge(&u.k, u.check)
			if n != i {
				y.unknowns[n] = *u
			}
			n++
		}
	}
	good := y.unknowns[:n]
	if n >= equationMin {
		y.draw(good)
	}
	y.search(good)
	y.cache.keep(y.keys)
	for i := range y.unknowns {
		y.unknowns[i].check = nil
	}
	for i := range y.keys {
		y.keys[i].bytes, y.keys[i].point, y.keys[i].cached = nil, nil, nil
	}
}

// begin fills the system with the signatures whose S is small enough.
func (y *system) begin(checks []*backend.Check) {
	y.batch++
	y.unknowns, y.keys = y.unknowns[:0], y.keys[:0]
	if want := 2 * len(checks); len(y.slots) < want || y.batch == 0 {
		size := max(64, len(y.slots))
		for size < want {
			size *= 2
		}
		y.slots, y.batch = make([]slot, size), 1
	}
	if cap(y.unknowns) < len(checks) {
		y.unknowns = make([]unknown, 0, len(checks)+len(checks)/4)
		y.keys = make([]senderKey, 0, cap(y.unknowns)) // never grows, so that points into it hold
	}
	for _, check := range checks {
		y.unknowns = append(y.unknowns, unknown{check: check})
		u := &y.unknowns[len(y.unknowns)-1]
		if !response(&u.s, check) {
			y.unknowns = y.unknowns[:len(y.unknowns)-1]
			continue
		}
		u.key = y.find(check)
	}
}

// find returns the index of the key of check, which may be new.
func (y *system) find(check *backend.Check) int32 {
	mask := uint64(len(y.slots) - 1)
	hash := maphash.Bytes(y.seed, check.Key[:])
	for at := hash & mask; ; at = (at + 1) & mask {
		s := &y.slots[at]
		if s.batch == y.batch {
			if *y.keys[s.key].bytes == *check.Key {
				return s.key
			}
			continue
		}
		*s = slot{y.batch, int32(len(y.keys))}
		y.keys = append(y.keys, senderKey{bytes: check.Key, hash: hash})
		key := &y.keys[s.key]
		if m := y.checker.members; m != nil && check.Member >= 0 {
			member := &m.list[check.Member]
			key.point, key.ok = &member.niels, member.decodes
		}
		return s.key
	}
}

// decode decodes every R, and every key that is not a member's, two at a time.
func (y *system) decode() {
	var pending decoding
	for i := range y.unknowns {
		u := &y.unknowns[i]
		pending.add((*[32]byte)(u.check.Signature[:32]), &u.r, &u.ok)
	}
	for i := range y.keys {
		key := &y.keys[i]
		if key.point != nil {
			continue
		}
		if key.cached = y.cache.find(key.hash, key.bytes); key.cached != nil {
			key.niels = key.cached.point // side by side with the others: an equation reads it 37 times
			key.point, key.ok = &key.niels, true
			continue
		}
		key.point = &key.niels
		pending.add(key.bytes, &key.niels, &key.ok)
	}
	pending.flush()
}

// decoding holds back one encoding until there are two.
type decoding struct {
	in  *[32]byte
	out *edwards.Niels
	ok  *bool
}

func (d *decoding) add(in *[32]byte, out *edwards.Niels, ok *bool) {
	if d.in == nil {
		*d = decoding{in, out, ok}
		return
	}
	var x, y [2]edwards.Element
	both := edwards.DecodeTwo(&x, &y, [2]*[32]byte{d.in, in})
	*d.ok, *ok = both[0], both[1]
	d.out.SetAffine(&x[0], &y[0])
	out.SetAffine(&x[1], &y[1])
	*d = decoding{}
}

func (d *decoding) flush() {
	if d.in == nil {
		return
	}
	var x, y edwards.Element
	*d.ok = edwards.Decode(&x, &y, d.in)
	d.out.SetAffine(&x, &y)
}

// draw draws the coefficients, from a generator with a fresh seed: nobody can know them while the batch is filled.
func (y *system) draw(unknowns []unknown) {
	if cap(y.drawn) < len(unknowns) {
		y.drawn = make([][16]byte, len(unknowns)+len(unknowns)/4)
	}
	y.drawn = y.drawn[:len(unknowns)]
	y.random.Draw(y.drawn)
	for i := range unknowns {
		z := &y.drawn[i]
		unknowns[i].zLo, unknowns[i].zHi = binary.LittleEndian.Uint64(z[:8]), binary.LittleEndian.Uint64(z[8:])
	}
}

// holds reports whether the equation of these signatures holds.
func (y *system) holds(unknowns []unknown) bool {
	y.round++
	y.terms, y.used = y.terms[:0], y.used[:0]
	var responses edwards.WideSum
	for i := range unknowns {
		u := &unknowns[i]
		key := &y.keys[u.key]
		if key.round != y.round {
			key.round, key.sum = y.round, edwards.WideSum{}
			y.used = append(y.used, u.key)
		}
		key.sum.AddProduct(u.zLo, u.zHi, &u.k)
		responses.AddProduct(u.zLo, u.zHi, &u.s)
		y.terms = append(y.terms, edwards.Term{Point: &u.r, Scalar: edwards.Scalar{u.zLo, u.zHi}, Size: coefficientBits})
	}
	for _, i := range y.used {
		key := &y.keys[i]
		y.terms = append(y.terms, edwards.Term{Point: key.point, Scalar: y.reduce(&key.sum), Size: 253})
	}
	var sum [1]edwards.Point
	y.summer.Sum(&sum[0], y.terms)
	s := y.reduce(&responses)
	y.walk.Add(base(), &s, 1)
	y.walk.End()
	y.walk.Sums(sum[:])
	return sum[0].IsTorsion()
}

// reduce returns the sum modulo l.
func (y *system) reduce(sum *edwards.WideSum) (s edwards.Scalar) {
	sum.Bytes(&y.checker.digest)
	y.checker.reduce(&s)
	return s
}
