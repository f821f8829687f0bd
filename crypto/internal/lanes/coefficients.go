package lanes

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
)

// Coefficients draws the random coefficients z of batch equations: 126 bits, never zero. The zero value is ready. One
// goroutine may use it at a time.
//
// Each Draw takes a new key from crypto/rand, so what a peer learns of one batch tells nothing about the next; the stream
// is AES-128 in counter mode where the processor has it, else ChaCha8. Call it after the batch is closed: nobody may choose
// a signature when its coefficient is known.
type Coefficients struct {
	stream rand.ChaCha8
	seed   [32]byte
}

// coefficientTop keeps 62 bits of the high word. 126 bits make 16 signed digits of 8 bits, while 128 would need a 17th;
// a bad batch passes with probability 2^-126, but for what could be learned by breaking the cipher.
const coefficientTop = 1<<62 - 1

// Draw fills dst with coefficients, little-endian.
func (c *Coefficients) Draw(dst [][16]byte) {
	cryptorand.Read(c.seed[:]) // never fails: the program ends if the system has no randomness
	c.fill(dst)
	clear(c.seed[:])
	for i := range dst {
		if dst[i] == [16]byte{} { // once in 2^126; a zero would let a bad signature pass
			dst[i][0] = 1
		}
	}
}

func (c *Coefficients) fillGeneric(dst [][16]byte) {
	c.stream.Seed(c.seed)
	for i := range dst {
		binary.LittleEndian.PutUint64(dst[i][:], c.stream.Uint64())
		binary.LittleEndian.PutUint64(dst[i][8:], c.stream.Uint64()&coefficientTop)
	}
}
