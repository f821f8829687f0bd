package ifma

// Point is eight points of the curve, as Y+X, Y-X, Z and T, where x = X/Z, y = Y/Z and T = XY/Z. Sums and differences
// of X and Y are what additions and doublings read, so they are kept instead of X and Y. The zero value is not a
// point.
type Point struct{ Sum, Diff, Z, T Element }

// Affine is eight points with Z = 1, ready to be added: y+x, y-x and 2dxy.
type Affine struct{ Sum, Diff, T Element }

// broadcast sets all lanes of p to lane l of q. p may be q.
func (p *Point) broadcast(q *Point, l int) {
	p.Sum.setAll(q.Sum.lane(l))
	p.Diff.setAll(q.Diff.lane(l))
	p.Z.setAll(q.Z.lane(l))
	p.T.setAll(q.T.lane(l))
}

// setLane sets lane l of p to that of q.
func (p *Point) setLane(l int, q *Point) {
	p.Sum.setLane(l, q.Sum.lane(l))
	p.Diff.setLane(l, q.Diff.lane(l))
	p.Z.setLane(l, q.Z.lane(l))
	p.T.setLane(l, q.T.lane(l))
}
