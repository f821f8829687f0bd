package authority

import (
	"fastpay/codec"
	"fastpay/crypto"
)

// maxOrderSize is an encoded order with user data. The signed bytes have a prefix that the wire has not, and one byte of
// the recipient's tag where the wire has four.
const maxOrderSize = codec.MaxSignedSize - len("Transfer::") + 3 + crypto.SignatureSize

// A slot holds the pending order of an account and our vote for it, 256 bytes.
type slot struct {
	order  [maxOrderSize]byte
	length uint8 // of order
	vote   crypto.Signature
	ticket int32  // while the vote is unsigned: its number in this batch, or forgotten; else signed
	free   uint32 // next in the free list + 1, when this slot is in it
}

// Values of a ticket that are no number.
const (
	signed    = -1 // the vote is there
	forgotten = -2 // nobody has asked for the vote yet, since the order came from a request, a record or a snapshot
)

func (p *slot) orderBytes() []byte { return p.order[:p.length] }

func (p *slot) transferBytes() []byte { return p.order[:int(p.length)-crypto.SignatureSize] }

// A pendingTable holds the slots and, for the batch being applied, which slot waits for which ticket. There are at most
// as many slots as accounts.
type pendingTable struct {
	slots slab[slot]
	free  uint32 // first of the free list + 1
	used  int
	// tickets are the slots of this batch's votes. A slot that was freed before its vote was signed, and taken again, is
	// in the list twice; the later ticket is that of the order it holds.
	tickets []uint32
}

// add copies o into a slot, without a vote.
func (t *pendingTable) add(o codec.Order) (number uint32) {
	var p *slot
	if t.free != 0 {
		number = t.free - 1
		p = t.slots.at(number)
		t.free = p.free
	} else {
		number, p = t.slots.add()
	}
	t.used++
	p.length = uint8(copy(p.order[:], o.Bytes()))
	p.ticket = forgotten
	return number
}

// draw gives a ticket to the vote in slot number, which is p.
func (t *pendingTable) draw(number uint32, p *slot) {
	p.vote = crypto.Signature{}
	p.ticket = int32(len(t.tickets))
	t.tickets = append(t.tickets, number)
}

// release frees a slot. If its vote is not signed yet, the replies of this batch that show it keep their ticket, which is
// still to be signed; the signature may then be stored in the free slot, which does no harm.
func (t *pendingTable) release(number uint32) {
	t.slots.at(number).free = t.free
	t.free = number + 1
	t.used--
}

// sign stores the batch's signatures in the order of their tickets, so that a slot ends with that of the order it holds.
func (t *pendingTable) sign(signatures []crypto.Signature) {
	if len(signatures) != len(t.tickets) {
		panic("authority: Signed needs one signature for each ticket of the batch")
	}
	for i, number := range t.tickets {
		p := t.slots.at(number)
		if sabotaged("authority: a vote of a batch gets the signature of another one") {
			i = 0
		}
		p.vote, p.ticket = signatures[i], signed
	}
	t.tickets = t.tickets[:0]
}
