package voi

const (
	// searchLeaf is the number of signatures below which a failed equation is not cut further: one by one is as cheap.
	searchLeaf = 24
)

// search sets the verdicts of these signatures, whose equation has not been tried yet: when it does not hold, each half
// has its own. The coefficients stay: whoever sent the signatures still has not seen them.
func (y *system) search(unknowns []unknown) {
	if len(unknowns) >= equationMin && y.holds(unknowns) {
		for i := range unknowns {
			unknowns[i].check.Valid = true
		}
		return
	}
	if len(unknowns) < searchLeaf {
		for i := range unknowns {
			check := unknowns[i].check
			check.Valid = Backend{}.Verify(check.Key, check.Message, check.Signature)
		}
		return
	}
	half := len(unknowns) / 2
	y.search(unknowns[:half])
	y.search(unknowns[half:])
}
