package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"fastpay/node/journal"
)

// Bits that flip on a disk. Either recovery sees it, or it has done no harm. One case can't be told from a crash:
// damage to the last group that a journal has, for which nothing later vouches. A member with a damaged disk is faulty,
// whatever becomes of it, so one more than those that lie must be tolerated in a world where that may happen.

// flips reports whether a bit of this process's disk is to flip now.
func (p *process) flips() bool {
	w := p.w
	return p.member == w.plan.FlipMember && p.correct && !w.healed && p.sealed >= 4
}

// flip inverts one bit of a segment, in what has ever been written of it. It reports whether there was something.
func (d *disk) flip(rng *rand.Rand) bool {
	names, err := d.fs.List()
	if err != nil {
		panic(err)
	}
	var segments []string
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			segments = append(segments, name)
		}
	}
	if len(segments) == 0 {
		return false
	}
	name := segments[rng.IntN(len(segments))]
	data := d.content(name)
	end := len(data)
	for end > 0 && data[end-1] == 0 {
		end--
	}
	if end == 0 {
		return false
	}
	from := 0
	if rng.IntN(3) == 0 { // in the last group
		from = (end - 1) &^ (journal.BlockSize - 1)
	}
	data[from+rng.IntN(end-from)] ^= 1 << rng.IntN(8)
	f, err := d.fs.Create(name)
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = d.fs.SyncDir()
	}
	if err != nil {
		panic(err)
	}
	return f.Close() == nil
}

func (d *disk) content(name string) []byte {
	f, err := d.fs.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	size, _ := f.Size()
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), data); err != nil {
		panic(err)
	}
	return data
}

// afterFlip judges what became of a flipped bit.
func (p *process) afterFlip(err error) {
	w := p.w
	switch {
	case err != nil:
		w.count.FlipsDetected++
		w.retire(p.member)
		p.retired = true
	case p.applied >= p.sealed:
		w.count.FlipsHarmless++
		p.start()
	case p.applied >= p.sealedBefore:
		w.count.FlipsLastGroup++
		w.retire(p.member)
		p.start()
	default:
		w.fail(propertyS8, fmt.Sprintf("process %d did not see that its disk was damaged: %d records of %d", p.index,
			p.applied, p.sealed))
	}
}

// damaged is what a process says of a log that can't be read. Only a bit that flipped excuses it.
func (p *process) damaged(err error) {
	if !p.correct {
		return
	}
	var corrupt *journal.CorruptError
	if p.member == p.w.plan.FlipMember && errors.As(err, &corrupt) {
		p.w.count.FlipsDetected++
		p.w.retire(p.member)
		return
	}
	p.w.fail(propertyS8, fmt.Sprintf("process %d: %v", p.index, err))
}

// retire takes a member for faulty from now on.
func (w *World) retire(member int) {
	w.members[member].retired = true
	for _, p := range w.processes {
		if p.member == member {
			p.correct, p.books = false, nil
		}
	}
}
