package authority

import "encoding/binary"

// A chain is where one log of an account is, its confirmed or its received certificates: positions of the last record
// and of two earlier ones. The records of a log are numbered from 1, and each has in it the chain as it was before it. So
// number k of n is found in about n/1024 + 32 + 31 reads, and all that an account keeps of a log is this and its length.
type chain struct {
	tail Position // the last record
	near Position // the last one whose number is a multiple of nearStep; 0 when there is none
	far  Position // the same for farStep
}

const (
	nearStep = 32
	farStep  = 1024
)

// extend takes in the record at position at, which is number n of the log.
func (c *chain) extend(n uint64, at Position) {
	c.tail = at
	if n%nearStep == 0 {
		c.near = at
		if n%farStep == 0 {
			c.far = at
		}
	}
}

func (c *chain) rebase(base Position) {
	c.tail, c.near, c.far = c.tail.Rebase(base), c.near.Rebase(base), c.far.Rebase(base)
}

func (c *chain) links() Links { return Links{c.tail, c.near, c.far} }

// toward is the furthest step back from number n, whose chain this is, that does not pass want: the number of a record
// and its position. 1 <= want <= n.
func (c *chain) toward(n, want uint64) (number uint64, at Position) {
	if f := n &^ (farStep - 1); f >= want {
		return f, c.far
	}
	if f := n &^ (nearStep - 1); f >= want {
		return f, c.near
	}
	return n, c.tail
}

// A chain in a record is a byte of three pairs of bits, for tail, near and far from the lowest on, and then the links
// themselves. A pair says what its link is: nothing; a record of the same batch, by the distance back to it, u32; or any
// other record, by its position, u64. A record is written before its batch has a position, hence the distance.
const (
	linkNone = iota
	linkBack
	linkAbsolute
	linkBits = 2
)

// appendChain appends the links for a record at own, and returns their byte.
func appendChain(dst []byte, own Position, c *chain) ([]byte, byte) {
	var shape byte
	for i, p := range [...]Position{c.tail, c.near, c.far} {
		switch {
		case p == 0:
		case !p.IsProvisional():
			shape |= linkAbsolute << (i * linkBits)
			dst = binary.LittleEndian.AppendUint64(dst, uint64(p))
		case own.IsProvisional():
			shape |= linkBack << (i * linkBits)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(own-p))
		default:
			panic("authority: an account still has positions of a batch that was never rebased")
		}
	}
	return dst, shape
}

// takeChain reads the links of a record at own. It refuses what appendChain does not write: an unknown shape, no distance,
// one to before the log, or a position that is none.
func takeChain(b []byte, shape byte, own Position) (c chain, rest []byte, ok bool) {
	if shape>>(3*linkBits) != 0 {
		return c, nil, false
	}
	for i, p := range [...]*Position{&c.tail, &c.near, &c.far} {
		switch shape >> (i * linkBits) & (1<<linkBits - 1) {
		case linkNone:
		case linkBack:
			if len(b) < 4 {
				return c, nil, false
			}
			back := Position(binary.LittleEndian.Uint32(b))
			if back == 0 || back >= own&^provisional {
				return c, nil, false
			}
			*p, b = own-back, b[4:]
		case linkAbsolute:
			if len(b) < 8 {
				return c, nil, false
			}
			*p = Position(binary.LittleEndian.Uint64(b))
			if *p == 0 || p.IsProvisional() || *p >= own {
				return c, nil, false
			}
			b = b[8:]
		default:
			return c, nil, false
		}
	}
	return c, b, true
}
