package main

import (
	"math/big"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// stream is the state of eight messages: a to h, renamed after every round.
type stream struct {
	state []VecVirtual
	word  func(i int) Op // word i of the schedule, 0 to 15: a register, or memory
	store func(i int, v VecVirtual)
}

// A step is one instruction, or a few that belong together, to be emitted later. The order of emission decides how well
// the pipes are used: only half of them shift and rotate, so rotations of one step must meet additions of another.
type step = func()

// round returns the steps of one round of SHA-512: 17 vector operations, 6 of them rotations.
func (s *stream) round(i int, k Mem) []step {
	a, b, c, d := s.state[0], s.state[1], s.state[2], s.state[3]
	e, f, g, h := s.state[4], s.state[5], s.state[6], s.state[7]
	s.state = []VecVirtual{h, a, b, c, d, e, f, g}

	kw, ch, maj, s0, s1 := ZMM(), ZMM(), ZMM(), zmms(3), zmms(3)
	return []step{
		func() { VPRORQ(U8(14), e, s1[0]) },
		func() { VPADDQ_BCST(k, s.in(i), kw) },
		func() { VPRORQ(U8(18), e, s1[1]) },
		func() { VPADDQ(kw, h, h) },
		func() { VPRORQ(U8(41), e, s1[2]) },
		func() { VMOVDQA64(e, ch); VPTERNLOGQ(U8(ternChoose), g, f, ch) },
		func() { VPRORQ(U8(28), a, s0[0]) },
		func() { VPTERNLOGQ(U8(ternXor3), s1[2], s1[1], s1[0]) },
		func() { VPADDQ(ch, h, h) },
		func() { VPRORQ(U8(34), a, s0[1]) },
		func() { VPADDQ(s1[0], h, h) },
		func() { VPRORQ(U8(39), a, s0[2]) },
		func() { VPADDQ(h, d, d) },
		func() { VMOVDQA64(a, maj); VPTERNLOGQ(U8(ternMajority), c, b, maj) },
		func() { VPTERNLOGQ(U8(ternXor3), s0[2], s0[1], s0[0]) },
		func() { VPADDQ(maj, h, h) },
		func() { VPADDQ(s0[0], h, h) },
	}
}

// in returns word i of the schedule in a register.
func (s *stream) in(i int) VecVirtual {
	if m, ok := s.word(i & 15).(Mem); ok {
		v := ZMM()
		move(m, v)
		return v
	}
	return s.word(i & 15).(VecVirtual)
}

// expand returns the steps that replace word i by word i+16 of the schedule: 11 vector operations, 6 of them rotations or
// shifts.
func (s *stream) expand(i int) []step {
	var x, y, sum VecVirtual
	t, u := zmms(3), zmms(3)
	return []step{
		func() { x = s.in(i + 1); VPRORQ(U8(1), x, t[0]) },
		func() { sum = s.in(i); VPADDQ(s.word((i+9)&15), sum, sum) },
		func() { VPRORQ(U8(8), x, t[1]) },
		func() { y = s.in(i + 14); VPRORQ(U8(19), y, u[0]) },
		func() { VPSRLQ(U8(7), x, t[2]) },
		func() { VPRORQ(U8(61), y, u[1]) },
		func() { VPTERNLOGQ(U8(ternXor3), t[2], t[1], t[0]) },
		func() { VPSRLQ(U8(6), y, u[2]) },
		func() { VPADDQ(t[0], sum, sum) },
		func() { VPTERNLOGQ(U8(ternXor3), u[2], u[1], u[0]) },
		func() { VPADDQ(u[0], sum, sum); s.store(i, sum) },
	}
}

// merge emits lists of steps side by side, each evenly spread over the whole.
func merge(lists ...[]step) {
	total := 0
	for _, l := range lists {
		total += len(l)
	}
	done := make([]int, len(lists))
	for range total {
		best := 0
		for i, l := range lists { // the list that is furthest behind
			if done[i]*len(lists[best]) < done[best]*len(l) || done[best] == len(lists[best]) {
				best = i
			}
		}
		lists[best][done[best]]()
		done[best]++
	}
}

// rounds emits the 80 rounds: 16 straight, then a loop of four bodies of 16 rounds. Longer bodies leave the cache of
// decoded instructions and are slower.
func rounds(streams []*stream) {
	k, end := GP64(), GP64()
	LEAQ(roundConstants(), k)
	LEAQ(at(k, 8*80), end)
	body := func(expand bool) {
		var first [][]step
		if expand {
			for _, s := range streams {
				first = append(first, s.expand(0))
			}
			merge(first...)
		}
		for i := range 16 {
			var lists [][]step
			for _, s := range streams {
				var l []step
				if expand && i < 15 { // a word ahead of the round
					l = s.expand(i + 1)
				}
				l = append(l, s.round(i, at(k, 8*i))...)
				lists = append(lists, l)
			}
			merge(lists...)
		}
	}
	body(false)
	ADDQ(Imm(8*16), k)
	Label("loop")
	body(true)
	ADDQ(Imm(8*16), k)
	CMPQ(k, end)
	JNE(LabelRef("loop"))
}

// finish adds the states before the block, in the lanes of which the mask has a bit.
func finish(s *stream, state Register, offset int, active Register) {
	for i, v := range s.state {
		old := ZMM()
		move(at(state, offset+row*i), old)
		VPADDQ(v, old, active, old)
		move(old, at(state, offset+row*i))
	}
}

// compress8 keeps all 16 words of the schedule in registers.
func compress8() {
	TEXT("compress8AVX512", noSplit, "func(state *[8][8]uint64, w *[16][8]uint64, active uint8)")
	Pragma("noescape")
	Doc("compress8AVX512 is the kernel behind compress8.")
	state := Load(Param("state"), GP64())
	w := Load(Param("w"), GP64())
	active := Load(Param("active"), GP8())

	words := zmms(16)
	for j, v := range words {
		move(at(w, row*j), v)
	}
	s := &stream{
		state: zmms(8),
		word:  func(i int) Op { return words[i] },
		store: func(i int, v VecVirtual) {
			if v != words[i] {
				move(v, words[i])
			}
		},
	}
	for i, v := range s.state {
		move(at(state, row*i), v)
	}
	rounds([]*stream{s})
	mask := K()
	KMOVB(active.(GPVirtual).As32(), mask)
	finish(s, state, 0, mask)
	VZEROUPPER()
	RET()
}

// compress16 interleaves two streams of eight messages and expands their schedules in place.
func compress16() {
	TEXT("compress16AVX512", noSplit, "func(state *[2][8][8]uint64, w *[2][16][8]uint64, active uint16)")
	Pragma("noescape")
	Doc("compress16AVX512 is the kernel behind compress16.")
	state := Load(Param("state"), GP64())
	w := Load(Param("w"), GP64())
	active := Load(Param("active"), GP16())

	streams := make([]*stream, 2)
	for t := range streams {
		s := &stream{state: zmms(8)}
		s.word = func(i int) Op { return at(w, row*(16*t+i)) }
		s.store = func(i int, v VecVirtual) { move(v, at(w, row*(16*t+i))) }
		for i, v := range s.state {
			move(at(state, row*(8*t+i)), v)
		}
		streams[t] = s
	}
	rounds(streams)
	bits := active.(GPVirtual).As32()
	for t, s := range streams {
		mask := K()
		KMOVB(bits, mask)
		finish(s, state, row*8*t, mask)
		SHRL(U8(8), bits)
	}
	VZEROUPPER()
	RET()
}

// roundConstants are the first 64 bits of the fractional parts of the cube roots of the first 80 primes (FIPS 180-4).
func roundConstants() Mem {
	var k []uint64
	for n := int64(2); len(k) < 80; n++ {
		if big.NewInt(n).ProbablyPrime(0) { // exact below 2^64
			k = append(k, cubeRoot(new(big.Int).Lsh(big.NewInt(n), 3*64)).Uint64()) // drops the integer part
		}
	}
	return table("roundConstants", k...)
}

// cubeRoot returns the low 64 bits of the largest r with r^3 <= n, for n below 2^204.
func cubeRoot(n *big.Int) *big.Int {
	r, cube := new(big.Int), new(big.Int)
	for bit := 68; bit >= 0; bit-- {
		r.SetBit(r, bit, 1)
		if cube.Exp(r, big.NewInt(3), nil).Cmp(n) > 0 {
			r.SetBit(r, bit, 0)
		}
	}
	return r.And(r, new(big.Int).SetUint64(1<<64-1))
}
