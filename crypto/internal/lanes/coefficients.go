package lanes

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
)

// Coefficients draws the random coefficients z of batch equations: uniform over 126 bits, never zero. The zero value is
// ready. One goroutine may use it at a time.
//
// Each Draw seeds ChaCha8 anew from crypto/rand, so what a peer learns of one batch tells nothing about the next. Call it
// after the batch is closed: nobody may choose a signature when its coefficient is known.
type Coefficients struct {
	stream rand.ChaCha8
	seed   [32]byte
}

// coefficientTop keeps 62 bits of the high word. 126 bits make 16 signed digits of 8 bits, while 128 would need a 17th;
// a bad batch passes with probability 2^-126 at most.
const coefficientTop = 1<<62 - 1

// Draw fills dst with coefficients, little-endian.
func (c *Coefficients) Draw(dst [][16]byte) {
	cryptorand.Read(c.seed[:]) // never fails: the program ends if the system has no randomness
	c.stream.Seed(c.seed)
	for i := range dst {
		low, high := c.stream.Uint64(), c.stream.Uint64()&coefficientTop
		if low|high == 0 {
			low = 1
		}
		binary.LittleEndian.PutUint64(dst[i][:], low)
		binary.LittleEndian.PutUint64(dst[i][8:], high)
	}
	clear(c.seed[:])
}
