package voi

import "fastpay/crypto/internal/edwards"

// searchGroup is how many signatures are tried together once the equation of the whole batch has failed. Halving the
// batch again and again would cost more (five times a good batch for ten bad ones in 1,024), since an equation of some
// hundred signatures costs nearly as much for each as one of eight, while a group of eight that is spoiled costs eight
// single checks only.
const searchGroup = 8

// An equation of a group costs two thirds of its single checks (9.7 and 15 µs a signature), so it is worth its price as
// long as at most a third of the groups are spoiled; and never where all keys have combs, with which a check takes 10.
const worthwhileSpoiled = 3

// search sets the verdicts of these signatures: by one equation; when it does not hold, by an equation for each group;
// when that does not hold either, or too many groups before had bad ones, one by one. After a batch with a bad signature
// the first step is left out once: who sends one sends more, and an equation that fails is work for nothing. The
// coefficients stay: whoever sent the signatures has not seen them.
func (y *system) search(unknowns []unknown) {
	if len(unknowns) >= equationMin && !y.distrust && y.holds(unknowns) {
		accept(unknowns)
		return
	}
	alone := len(unknowns) <= searchGroup && !y.distrust // as a group it has failed already
	groups, spoiled := 0, 0
	for len(unknowns) > 0 {
		n := min(len(unknowns), searchGroup)
		group := unknowns[:n]
		unknowns = unknowns[n:]
		groups++
		worthwhile := worthwhileSpoiled*spoiled <= groups && !y.allCombs(group)
		if n >= equationMin && !alone && worthwhile && y.holds(group) {
			accept(group)
			continue
		}
		if !y.single(group) {
			spoiled++
		}
	}
	y.distrust = spoiled > 0
}

// allCombs tells whether all keys of these signatures have combs.
func (y *system) allCombs(unknowns []unknown) bool {
	for i := range unknowns {
		if y.cache.comb(&y.keys[unknowns[i].key]) == nil {
			return false
		}
	}
	return true
}

func accept(unknowns []unknown) {
	for i := range unknowns {
		unknowns[i].check.Valid = true
	}
}

// single sets the verdicts one by one and reports whether all are good.
func (y *system) single(unknowns []unknown) bool {
	all := true
	for i := range unknowns {
		u := &unknowns[i]
		u.check.Valid = y.alone(u)
		all = all && u.check.Valid
	}
	return all
}

// alone is the verdict on one signature, by the comb of its key, if there is one. Else: with a = b·k (mod l), both of half
// the size, the rule is multiplied by b, which is not 0 modulo l and so changes nothing: [8]([b·S]B - [a]A - [b]R) = 0 takes
// half the doublings.
func (y *system) alone(u *unknown) bool {
	if comb := y.cache.comb(&y.keys[u.key]); comb != nil {
		return y.aloneByComb(u, comb)
	}
	a, b, negative := edwards.Halves(&u.k)
	point := y.keys[u.key].point
	if negative { // b is taken positive, and so the sign of the other terms changes
		y.minus.Negate(point)
		point = &y.minus
	}
	y.two = [2]edwards.Term{{Point: point, Scalar: a}, {Point: &u.r, Scalar: b}}
	var product edwards.WideSum
	product.AddProduct(b[0], b[1], &u.s)
	s := y.reduce(&product)
	sum := &y.total
	y.summer.Sum(&sum[0], y.two[:])
	y.walk.Add(base(), &s, 1)
	y.walk.End()
	y.walk.Sums(sum[:])
	return sum[0].IsTorsion()
}

// aloneByComb is the verdict by the rule as it stands, times -1.
func (y *system) aloneByComb(u *unknown, comb *edwards.Comb) bool {
	sum := &y.total
	comb.Multiply(&sum[0], &u.k)
	sum[0].AddNiels(&u.r, 0)
	y.walk.Add(base(), &u.s, 1)
	y.walk.End()
	y.walk.Sums(sum[:])
	return sum[0].IsTorsion()
}
