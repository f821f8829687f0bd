package ifma

// Lanes is the number of independent values in every type of this package.
const Lanes = 8

// numLimbs limbs of limbBits bits make a field element.
const (
	numLimbs = 5
	limbBits = 51
	limbMask = 1<<limbBits - 1
)

// Element is eight elements of the field of 2^255-19, one in each lane: limb i of lane l is e[i][l] and weighs 2^(51i).
// The package documentation names the ranges of limbs; any value is congruent to what it represents, not reduced. The
// zero value is zero. Kernels are fastest with elements on 64-byte boundaries; see Scratch.
type Element [numLimbs][Lanes]uint64

// Words is 32 bytes for each lane as four little-endian words: an encoded point, or a scalar.
type Words [4][Lanes]uint64

// lane is one field element: lane l of an Element.
type lane [numLimbs]uint64

// lane returns lane l.
func (e *Element) lane(l int) (v lane) {
	for i := range v {
		v[i] = e[i][l]
	}
	return v
}

// setLane sets lane l.
func (e *Element) setLane(l int, v lane) {
	for i := range v {
		e[i][l] = v[i]
	}
}

// setAll sets all lanes to v.
func (e *Element) setAll(v lane) {
	for l := range Lanes {
		e.setLane(l, v)
	}
}

// Constants of the curve -x^2 + y^2 = 1 + d*x^2*y^2 (RFC 8032, section 5.1), canonical.
var (
	laneOne    = lane{1}
	laneD      = lane{929955233495203, 466365720129213, 1662059464998953, 2033849074728123, 1442794654840575}
	laneTwoD   = lane{1859910466990425, 932731440258426, 1072319116312658, 1815898335770999, 633789495995903}
	laneSqrtM1 = lane{1718705420411056, 234908883556509, 2233514472574048, 2117202627021982, 765476049583133}
	laneHalfD  = lane{1590877523590216, 1359082766907230, 1956929639342100, 2142824444206685, 1847297234262911}
	// 1/(2d): turns the 2dxy of a table entry into xy.
	laneInverseTwoD = lane{133296036314136, 426780519490142, 971550796200877, 1003625501967667, 1693814684165806}
)

func broadcastLane(v lane) (e Element) {
	e.setAll(v)
	return e
}
