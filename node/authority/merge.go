package authority

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"

	"fastpay/codec"
)

// Write writes the new snapshot, and with it reads the old one to its end. The Merger is used up then.
func (m *Merger) Write(w io.Writer) error {
	var heads []*head
	for _, p := range m.parts {
		heads = append(heads, p.head)
	}
	out := &snapshotWriter{w: w}
	out.buf = appendPreamble(make([]byte, 0, snapshotBegin), m.numShards, heads)
	for _, p := range m.parts {
		if err := p.write(out, m.old); err != nil {
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
func (p *part) write(w *snapshotWriter, old *snapshotReader) (err error) {
	if old != nil {
		old.begin(p.shard)
	}
	changed, count := p.ranked(), uint64(0)
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
		switch {
		case !have && len(changed) == 0:
			w.buf = binary.LittleEndian.AppendUint64(append(w.buf, endOfSection), count)
			return nil
		case !have:
			order = 1
		case len(changed) > 0:
			order = bytes.Compare(e.address[:], p.table.accounts.at(changed[0].number).address[:])
		}
		next := e
		if order > 0 {
			next = entry{account: account{address: p.table.accounts.at(changed[0].number).address}}
		}
		if order >= 0 {
			if err := p.change(&next, changed[0].number, order == 0); err != nil {
				return err
			}
			changed = changed[1:]
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

// ranked is the changed accounts by their addresses.
func (p *part) ranked() []rank {
	list := make([]rank, p.table.accounts.n)
	for i := range list {
		n := uint32(i)
		list[i] = rank{binary.BigEndian.Uint64(p.table.accounts.at(n).address[:]), n}
	}
	slices.SortFunc(list, func(a, b rank) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(p.table.accounts.at(a.number).address[:], p.table.accounts.at(b.number).address[:])
	})
	return list
}

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
