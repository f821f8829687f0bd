package authority

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/committee"
)

// A Fetch is the part of an info reply that has to be read back from the log: which certificates, and where the logs of
// the account were when it was asked. Its zero value is nothing to read.
type Fetch struct {
	account                       codec.Address
	header                        int    // bytes of the reply so far
	limit                         int    // of the whole reply, which may be exceeded by the first received certificate
	want                          uint64 // number in the confirmed log, 0 for none
	skip                          uint64 // received certificates that are not wanted; all of them when none is
	confirmed, received           uint64
	confirmedChain, receivedChain chain
}

// Wanted reports whether there is something to read. If not, the reply is whole.
func (f *Fetch) Wanted() bool { return f.header > 0 }

// Rebase makes positions absolute, as Shard.Rebase does, for a Fetch of the batch that is in the log at base.
func (f *Fetch) Rebase(base Position) {
	f.confirmedChain.rebase(base)
	f.receivedChain.rebase(base)
}

// A Reader finishes info replies by reading records back. It belongs to one goroutine.
type Reader struct {
	committee  *committee.Committee
	maxMessage int
	smallest   int // bytes of a certificate
	read       func(Position) ([]byte, error)
	record     Record     // the last one that was read, a view until the next
	positions  []Position // of a list of received certificates
}

// NewReader makes a reader for replies of at most maxMessage bytes, as in Options. read gives the record at an absolute
// position, valid until it is called again, or an error that is ErrGone when that part of the log was removed. The records
// of a Fetch must be durable, or at least readable, by the time Finish is called.
func NewReader(c *committee.Committee, maxMessage int, read func(Position) ([]byte, error)) *Reader {
	smallest := minCertificate(c)
	return &Reader{
		committee: c, maxMessage: maxMessage, smallest: smallest, read: read,
		positions: make([]Position, maxMessage/smallest+1),
	}
}

// Finish appends to dst, which ends with the reply that Info began, what f says. If a certificate is gone, the reply
// becomes CertificateNotfound, and found is false. Other errors are those of read, or ErrRecord when what it gives is not
// what the account's log says; dst is as it was then. Nothing is allocated unless it fails.
func (r *Reader) Finish(dst []byte, f *Fetch) (reply []byte, found bool, err error) {
	start := len(dst) - f.header
	reply, err = r.finish(dst, start, f)
	if errors.Is(err, ErrGone) {
		return codec.AppendError(reply[:start], errNotFound), false, nil
	}
	if err != nil {
		return dst, false, fmt.Errorf("read back the certificates of %s: %w", codec.FormatAddress(&f.account), err)
	}
	return reply, true, nil
}

func (r *Reader) finish(dst []byte, start int, f *Fetch) (reply []byte, err error) {
	if f.want > 0 {
		at, err := r.find(f.confirmedChain, f.confirmed, f.want, (*Record).confirmedBefore)
		if err == nil {
			dst, err = r.appendConfirmed(append(dst, 1), at, f)
		}
		if err != nil {
			return dst, err
		}
	} else {
		dst = append(dst, 0)
	}
	count := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, 0)
	if f.skip >= f.received && (f.skip == f.received || !sabotaged("authority: the index of an info request is not checked")) {
		return dst, nil
	}
	var n uint64
	if dst, n, err = r.appendReceived(dst, start, f); err == nil {
		binary.LittleEndian.PutUint64(dst[count:], n)
	}
	return dst, err
}

func (r *Record) confirmedBefore() chain { return r.confirmed }
func (r *Record) receivedBefore() chain  { return r.received }

// find is the position of number want of a log of n records.
func (r *Reader) find(c chain, n, want uint64, before func(*Record) chain) (Position, error) {
	for {
		number, at := c.toward(n, want)
		if number == want {
			return at, nil
		}
		if err := r.load(at); err != nil {
			return 0, err
		}
		c, n = before(&r.record), number-1
	}
}

// load reads and parses the record at a position.
func (r *Reader) load(at Position) error {
	if at == 0 || at.IsProvisional() {
		return fmt.Errorf("%w: a log of certificates leads to %v", ErrRecord, at)
	}
	b, err := r.read(at)
	if err != nil {
		return err
	}
	return r.record.Parse(at, b)
}

func (r *Reader) appendConfirmed(dst []byte, at Position, f *Fetch) ([]byte, error) {
	if err := r.load(at); err != nil {
		return dst, err
	}
	if r.record.Kind != RecordSettlement || *r.record.Order.Sender() != f.account {
		return dst, fmt.Errorf("%w: the one at %v is not in the confirmed log that leads there", ErrRecord, at)
	}
	return r.record.AppendCertificate(dst, r.committee)
}

// appendReceived appends the received certificates after the first skip (fewer than there are), as many as fit. The log
// leads backwards, so it goes to the last one that could fit if all were of the smallest size, notes the positions on
// the way back to the first one wanted, and copies from there.
func (r *Reader) appendReceived(dst []byte, start int, f *Fetch) (reply []byte, n uint64, err error) {
	most := max((f.limit-(len(dst)-start))/r.smallest, 1)
	want := min(f.received-f.skip, uint64(most), uint64(len(r.positions)))
	at, err := r.find(f.receivedChain, f.received, f.skip+want, (*Record).receivedBefore)
	if err != nil {
		return dst, 0, err
	}
	positions := r.positions[:want]
	for i := len(positions) - 1; ; i-- {
		positions[i] = at
		if i == 0 {
			break
		}
		if err := r.load(at); err != nil {
			return dst, 0, err
		}
		at = r.record.received.tail
	}
	for i, at := range positions {
		before := len(dst)
		if dst, err = r.appendCredited(dst, at, f); err != nil {
			return dst, 0, err
		}
		if size := len(dst) - start; size > r.maxMessage || i > 0 && size > f.limit {
			return dst[:before], n, nil
		}
		n++
	}
	return dst, n, nil
}

// appendCredited appends the certificate of the record at a position, which credits the account: it is in that record,
// or in the settlement that this one names.
func (r *Reader) appendCredited(dst []byte, at Position, f *Fetch) ([]byte, error) {
	err := r.load(at)
	if err == nil && r.record.Kind == RecordCredit && r.record.At != 0 {
		err = r.load(r.record.At)
	}
	if err != nil {
		return dst, err
	}
	if r.record.NumVotes() == 0 || *r.record.Order.Recipient() != f.account {
		return dst, fmt.Errorf("%w: the one at %v is not in the received log that leads there", ErrRecord, at)
	}
	return r.record.AppendCertificate(dst, r.committee)
}
