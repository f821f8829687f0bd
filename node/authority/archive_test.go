package authority

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"fastpay/codec"
)

// jumpOf by its definition: a record jumps over the jump of the one before it when that has just jumped as far as its
// own target did, else to the one before.
func TestJumpOfMatchesDefinition(t *testing.T) {
	jump := []uint64{0, 0}
	for n := uint64(2); n < 5000; n++ {
		p := n - 1
		if over := jump[p]; p-over == over-jump[over] {
			jump = append(jump, jump[over])
		} else {
			jump = append(jump, p)
		}
	}
	for n := uint64(1); n < 5000; n++ {
		if got := jumpOf(n); got != jump[n] {
			t.Fatalf("record %d jumps to %d, expected %d", n, got, jump[n])
		}
	}
	for _, n := range []uint64{1<<63 - 1, 1<<64 - 1} {
		if got := jumpOf(n); got != 0 {
			t.Errorf("record %d jumps to %d", n, got)
		}
	}
}

// A model of the archive: everything that was ever stored.
type archiveModel struct {
	archive
	logs [2][4][]uint64 // positions: confirmed and received logs of four accounts
	raw  map[uint64][]byte
}

func (m *archiveModel) add(t testing.TB, c codec.Certificate, confirmed, received int) {
	extend := func(which, account, log int) links {
		if account < 0 {
			return links{}
		}
		positions := m.logs[which][account]
		if len(positions) == 0 {
			return m.extend(0, 0, log)
		}
		return m.extend(positions[len(positions)-1], uint64(len(positions)), log)
	}
	pos := m.append(c, extend(0, confirmed, logConfirmed), extend(1, received, logReceived))
	if m.raw[pos] != nil {
		t.Fatalf("position %d was used before", pos)
	}
	m.raw[pos] = bytes.Clone(c.Bytes())
	if confirmed >= 0 {
		m.logs[0][confirmed] = append(m.logs[0][confirmed], pos)
	}
	if received >= 0 {
		m.logs[1][received] = append(m.logs[1][received], pos)
	}
}

// check finds every number of every log: its record, or, when that is older than all that is kept, nothing.
func (m *archiveModel) check(t testing.TB) (found, forgotten int) {
	t.Helper()
	for which, log := range []int{logConfirmed, logReceived} {
		for account, positions := range m.logs[which] {
			for i, want := range positions {
				n := uint64(len(positions))
				pos, ok := m.find(positions[n-1], n, uint64(i+1), log)
				if ok != m.has(want) {
					t.Fatalf("log %d of %d, number %d of %d: found %v, kept %v", log, account, i+1, n, ok, m.has(want))
				}
				if !ok {
					forgotten++
					continue
				}
				found++
				if pos != want || !bytes.Equal(m.certificate(pos), m.raw[pos]) {
					t.Fatalf("log %d of %d, number %d of %d: another record", log, account, i+1, n)
				}
			}
		}
	}
	return found, forgotten
}

func TestArchiveMatchesModel(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 7))
		a, ok := newArchive(40_000, recordSize(codec.MaxCertificateSize(4)))
		if !ok {
			t.Fatal("too small")
		}
		m := &archiveModel{archive: a, raw: make(map[uint64][]byte)}
		forgotten := 0
		for i := range 1500 {
			confirmed, received := r.IntN(4), r.IntN(6)-2
			if received == -2 {
				received, confirmed = confirmed, -1 // a credit from another shard
			}
			o := newOrder(byte(confirmed+10), toFastPay(byte(received+20)), r.Uint64(), uint64(i))
			segment := m.end >> m.shift
			m.add(t, certify(o, []byte{0, 1, 2, 3}[:1+r.IntN(4)]...), confirmed, received)
			if m.end>>m.shift != segment {
				_, forgotten = m.check(t)
			}
		}
		found, _ := m.check(t)
		if found == 0 || forgotten == 0 {
			t.Errorf("seed %d: %d found, %d forgotten", seed, found, forgotten)
		}
		if size := len(m.segments) << m.shift; size > 40_000 || m.end-m.oldest > uint64(size) || m.end-m.oldest < uint64(size)/2 {
			t.Errorf("keeps %d of %d bytes", m.end-m.oldest, size)
		}
	}
}

// Records of all sizes end anywhere in a segment, also at its very end, and never beyond.
func TestArchiveRecordsStayInTheirSegment(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 13))
	m := &archiveModel{archive: archive{segments: make([][]byte, 3), shift: 10, end: 8, oldest: 8}, raw: make(map[uint64][]byte)}
	full := 0
	for i := range 5000 {
		transfer := codec.Transfer{SequenceNumber: uint64(i), UserData: codec.UserData{Present: r.IntN(2) == 0}}
		c := certify(signOrder(10, transfer), []byte{0, 1}[:r.IntN(3)]...)
		m.add(t, c, 0, -1)
		pos := m.logs[0][0][i]
		if pos>>10 != (m.end-1)>>10 || m.end-pos != uint64(recordSize(len(c.Bytes()))) {
			t.Fatalf("record from %d to %d", pos, m.end)
		}
		if m.end&1023 == 0 {
			full++
		}
		if !bytes.Equal(m.certificate(pos), m.raw[pos]) {
			t.Fatalf("the record at %d is another one", pos)
		}
	}
	if full == 0 {
		t.Error("no segment was filled exactly")
	}
	m.check(t)
}

// Any number of a long log is found in few steps.
func TestArchiveFindTakesLogarithmicSteps(t *testing.T) {
	a, _ := newArchive(64<<20, recordSize(codec.MaxCertificateSize(4)))
	c := certify(newOrder(10, toFastPay(11), 1, 0), 0)
	const n = 1 << 17
	tail := uint64(0)
	for i := range uint64(n) {
		tail = a.append(c, a.extend(tail, i, logConfirmed), links{})
	}
	worst := 0
	for want := uint64(1); want <= n; want += 101 {
		steps := 0
		for at := uint64(n); at > want; steps++ {
			if j := jumpOf(at); j >= want {
				at = j
			} else {
				at--
			}
		}
		worst = max(worst, steps)
		if _, ok := a.find(tail, n, want, logConfirmed); !ok {
			t.Fatalf("number %d is not there", want)
		}
	}
	if worst > 3*17 {
		t.Errorf("%d steps", worst)
	}
}

func TestArchiveSizes(t *testing.T) {
	record := recordSize(codec.MaxCertificateSize(4))
	if _, ok := newArchive(1000, record); ok {
		t.Error("a ring that can't hold two records")
	}
	a, ok := newArchive(DefaultArchiveBytes, record)
	if !ok || len(a.segments)<<a.shift != DefaultArchiveBytes || len(a.segments) < 64 {
		t.Errorf("%v: %d segments of %d", ok, len(a.segments), 1<<a.shift)
	}
	for _, s := range a.segments {
		if s != nil {
			t.Error("memory is taken before it is needed")
		}
	}
}
