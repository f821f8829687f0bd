package ifma

// invertAll replaces T of every point by 1/(2Z), and Z by 2Z, with one inversion for all (Montgomery's trick): three
// multiplications a group. Groups of even and of odd number form two chains, which the inversion takes side by side.
// No Z may be zero: one zero would spoil its lane in every group. Points of the curve have none. Reduced in and out.
func (s *Scratch) invertAll(groups []Point) {
	inverse := &s.inverse
	inverse[0], inverse[1] = s.constants.one, s.constants.one
	for g := range groups {
		p := &groups[g]
		chain := &inverse[g%2]
		add(&p.Z, &p.Z, &p.Z)
		p.T = *chain
		mul(chain, chain, &p.Z)
	}
	if len(groups) == 1 {
		s.power.invertOne(&inverse[0])
	} else {
		s.power.invert(inverse)
	}
	for g := len(groups) - 1; g >= 0; g-- {
		p := &groups[g]
		chain := &inverse[g%2]
		mul(&p.T, &p.T, chain)
		mul(chain, chain, &p.Z)
	}
}
