package authority

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"slices"

	"fastpay/codec"
)

// Write writes the new snapshot, and with it reads the old one to its end. The Merger is used up then.
func (m *Merger) Write(w io.Writer) error {
	if err := m.enterAll(); err != nil {
		return err
	}
	var heads []*head
	for _, p := range m.parts {
		heads = append(heads, p.head)
	}
	out := &snapshotWriter{w: w}
	out.buf = appendPreamble(make([]byte, 0, snapshotBegin), m.numShards, heads)
	for _, p := range m.parts {
		if err := p.write(out, m.old, m.Pause); err != nil {
			return err
		}
	}
	if err := out.flush(); err != nil || m.old == nil {
		return err
	}
	return m.old.end()
}

// A snapshotWriter gathers what is written.
type snapshotWriter struct {
	w   io.Writer
	buf []byte
}

// room makes sure that n bytes fit.
func (w *snapshotWriter) room(n int) error {
	if len(w.buf)+n <= snapshotBuffer {
		return nil
	}
	return w.flush()
}

func (w *snapshotWriter) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// write writes the section: old and changed accounts merged by their addresses.
func (p *part) write(w *snapshotWriter, old *snapshotReader, pause func()) (err error) {
	if old != nil {
		old.begin(p.shard)
	}
	changed, count := p.ranking(pause), uint64(0)
	var (
		e    entry
		have bool // e is an account of the old snapshot that is not written yet
	)
	for {
		if err := w.room(maxEntrySize); err != nil {
			return err
		}
		if old != nil && !have {
			if have, err = old.next(&e); err != nil {
				return err
			}
			if !have {
				old = nil
			}
		}
		order := -1 // of e to the next changed account
		number, more := changed.first()
		switch {
		case !have && !more:
			w.buf = binary.LittleEndian.AppendUint64(append(w.buf, endOfSection), count)
			return nil
		case !have:
			order = 1
		case more:
			order = bytes.Compare(e.address[:], p.table.accounts.at(number).address[:])
		}
		next := e
		if order > 0 {
			next = entry{account: account{address: p.table.accounts.at(number).address}}
		}
		if order >= 0 {
			if err := p.change(&next, number, order == 0); err != nil {
				return err
			}
			changed.pass()
		}
		have = have && order > 0
		w.buf = next.append(w.buf)
		count++
	}
}

// A rank is where a changed account is in the order of addresses.
type rank struct {
	prefix uint64 // the first bytes of its address, which nearly always decide
	number uint32
}

// rankedPiece is about how many accounts are sorted at once: less than half a millisecond of work.
const rankedPiece = 4096

// ranking gives the changed accounts by their addresses. It splits them by the first bits of these, and sorts each piece
// when it is reached, so that a million of them are no long stretch of work. Whoever chooses addresses to be in one piece
// only makes that piece longer.
type ranking struct {
	p      *part
	pieces [][]rank // not sorted
	sorted []rank   // the rest of the piece before them
}

func (p *part) ranking(pause func()) *ranking {
	r := &ranking{p: p}
	pieceDone := func(i uint32) {
		if pause != nil && i%rankedPiece == 0 {
			pause()
		}
	}
	n := p.table.accounts.n
	shift := 64 - bits.Len32(n/rankedPiece)
	counts := make([]uint32, 1<<(64-shift))
	prefix := func(i uint32) uint64 { return binary.BigEndian.Uint64(p.table.accounts.at(i).address[:]) }
	for i := range n {
		pieceDone(i)
		counts[prefix(i)>>shift]++
	}
	r.pieces = make([][]rank, len(counts)) // memory for all at once would take milliseconds to get
	for i := range n {
		pieceDone(i)
		piece := &r.pieces[prefix(i)>>shift]
		if *piece == nil {
			*piece = make([]rank, 0, counts[prefix(i)>>shift])
		}
		*piece = append(*piece, rank{prefix(i), i})
	}
	return r
}

// first is the next account; ok is false when there is none left.
func (r *ranking) first() (number uint32, ok bool) {
	for len(r.sorted) == 0 {
		if len(r.pieces) == 0 {
			return 0, false
		}
		r.sorted, r.pieces = r.pieces[0], r.pieces[1:]
		accounts := &r.p.table.accounts
		slices.SortFunc(r.sorted, func(a, b rank) int {
			if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
				return c
			}
			return bytes.Compare(accounts.at(a.number).address[:], accounts.at(b.number).address[:])
		})
	}
	return r.sorted[0].number, true
}

func (r *ranking) pass() { r.sorted = r.sorted[1:] }

// change makes e, which is in the old snapshot or is not, what changed account number says.
func (p *part) change(e *entry, number uint32, old bool) error {
	a := p.table.accounts.at(number)
	_, created := p.created[number]
	if created && old {
		return badSnapshot("account %s was added, but is there already", codec.FormatAddress(&a.address))
	}
	if e.next+a.confirmed != a.next && a.confirmed > 0 {
		return badSnapshot("%d payments of %s up to number %d, but the next one was %d",
			a.confirmed, codec.FormatAddress(&a.address), a.next, e.next)
	}
	if a.confirmed > 0 {
		e.next, e.confirmedChain, e.order = a.next, a.confirmedChain, codec.Order{}
	}
	if a.pending != 0 {
		o, _, _ := codec.TakeOrder(p.pending.slots.at(a.pending - 1).orderBytes())
		nobody := !old && a.balance == (codec.Balance{}) && a.confirmed == 0 && a.received == 0 && a.synchronized == 0
		if !e.order.IsZero() || o.SequenceNumber() != e.next || nobody {
			return badSnapshot("order %d of %s, expected %d", o.SequenceNumber(), codec.FormatAddress(&a.address), e.next)
		}
		e.order = o
	}
	if a.received > 0 {
		e.received += a.received
		e.receivedChain = a.receivedChain
		e.receivedChain.extend(e.received, a.receivedChain.tail)
	}
	e.synchronized += min(a.synchronized, math.MaxUint32-e.synchronized)
	var ok bool
	if e.balance, ok = e.balance.Add(a.balance); !ok {
		return badSnapshot("the balance of %s does not fit in 128 bits", codec.FormatAddress(&a.address))
	}
	return nil
}
