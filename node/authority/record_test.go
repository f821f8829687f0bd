package authority

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/node/committee"
)

// again encodes what Parse found in b. Of the bytes of b it takes only how each link is written, which a view leaves open.
func (r *Record) again(t testing.TB, b []byte, at Position) []byte {
	t.Helper()
	out := []byte{byte(r.Kind)}
	chainOf := func(dst []byte, shape byte, c *chain) []byte {
		for i, p := range []Position{c.tail, c.near, c.far} {
			switch shape >> (i * linkBits) & 3 {
			case linkBack:
				dst = binary.LittleEndian.AppendUint32(dst, uint32(at-p))
			case linkAbsolute:
				dst = binary.LittleEndian.AppendUint64(dst, uint64(p))
			case linkNone:
				if p != 0 {
					t.Fatalf("a link to %v from nothing", p)
				}
			}
		}
		return dst
	}
	certificate := func(dst []byte) []byte {
		dst = append(dst, r.Order.Bytes()...)
		for i := range r.NumVotes() {
			member, _ := r.Vote(i)
			dst = binary.LittleEndian.AppendUint16(dst, uint16(member))
		}
		for i := range r.NumVotes() {
			_, sig := r.Vote(i)
			dst = append(dst, sig[:]...)
		}
		return dst
	}
	switch r.Kind {
	case RecordOrder:
		out = append(out, r.Order.Bytes()...)
	case RecordSettlement:
		out = append(out, b[1], b[2], r.credit)
		out = binary.LittleEndian.AppendUint16(out, uint16(r.NumVotes()))
		out = chainOf(chainOf(out, b[1], &r.confirmed), b[2], &r.received)
		if r.To >= 0 {
			out = binary.LittleEndian.AppendUint16(out, uint16(r.To))
			out = binary.LittleEndian.AppendUint64(out, r.Number)
		}
		out = certificate(out)
	case RecordCredit:
		out = binary.LittleEndian.AppendUint16(append(out, b[1]), uint16(r.From))
		out = binary.LittleEndian.AppendUint16(out, uint16(r.NumVotes()))
		out = chainOf(binary.LittleEndian.AppendUint64(out, r.Number), b[1], &r.received)
		if r.NumVotes() > 0 {
			return certificate(out)
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(r.At))
		out = append(binary.LittleEndian.AppendUint64(out, r.Amount), r.Account[:]...)
	case RecordPrimary:
		out = binary.LittleEndian.AppendUint64(out, r.Index)
		out = append(binary.LittleEndian.AppendUint64(out, r.Amount), r.Account[:]...)
	case RecordFunded:
		out = append(r.Balance.AppendBytes(out), r.Account[:]...)
	case RecordAcknowledged:
		out = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint16(out, uint16(r.To)), r.Number)
		out = binary.LittleEndian.AppendUint64(out, r.Sum)
	case RecordStarted:
		out = AppendStarted(nil, r.Mode)
	default:
		t.Fatalf("kind %d", r.Kind)
	}
	return out
}

// sampleRecords are records of all kinds, with links of all kinds, and where they are.
func sampleRecords(t testing.TB) (list []logged) {
	t.Helper()
	const shards = 2
	d := newTestDriver(t, shards)
	from, to := owner(0, shards, 0), owner(1, shards, 0)
	here := owner(0, shards, 1)
	d.fund(t, testKey(from), codec.NewBalance(10_000))
	for i := range uint64(70) {
		pair := [][]byte{certMessage(certify(newOrder(from, toFastPay(here), 1, 2*i)))}
		o := signOrder(from, codec.Transfer{Recipient: toFastPay(to), Amount: 2, SequenceNumber: 2*i + 1,
			UserData: codec.UserData{Present: i%2 == 0}})
		c := certify(o, []byte{3, 1, 0}...)
		pair = append(pair, orderMessage(o), certMessage(c))
		a := d.batch(0, pair...)[2]
		at := a.out.At
		if i%2 == 0 {
			at = 0
		}
		if err := d.credit(1, 0, a.out.CreditNumber, at, c); err != nil {
			t.Fatal(err)
		}
	}
	d.one(0, certMessage(certify(newOrder(from, toPrimary(3), 1, 140))))
	if err := d.shards[0].Acknowledge(1, 70, 1<<63); err != nil {
		t.Fatal(err)
	}
	a := testKey(from)
	d.shards[0].SyncPrimary(nil, &a, 3, 1)
	added := testKey(owner(1, shards, 5))
	if err := d.shards[1].AddAccount(&added, codec.MinBalance); err != nil {
		t.Fatal(err)
	}
	d.log.Append(0, AppendStarted(nil, 7))
	d.commit()
	return d.log.all
}

func TestRecordsOfAllKindsRoundTrip(t *testing.T) {
	kinds := make(map[RecordKind]int)
	shapes := make(map[byte]int)
	for _, l := range sampleRecords(t) {
		var r Record
		if err := r.Parse(l.at, l.record); err != nil {
			t.Fatal(err)
		}
		kinds[r.Kind]++
		if r.Kind == RecordSettlement {
			for shape := l.record[1]; shape > 0; shape >>= linkBits {
				shapes[shape&3]++
			}
		}
		if again := r.again(t, l.record, l.at); !bytes.Equal(again, l.record) {
			t.Fatalf("%x became %x", l.record, again)
		}
	}
	for kind := RecordOrder; kind <= RecordStarted; kind++ {
		if kinds[kind] == 0 {
			t.Errorf("no record of kind %d", kind)
		}
	}
	if shapes[linkBack] == 0 || shapes[linkAbsolute] == 0 {
		t.Errorf("links %v", shapes)
	}
}

// A record that is cut, or longer, or has another kind, is no record; one with any bit changed is none, or is read as
// exactly what it says.
func TestRecordsAreStrict(t *testing.T) {
	for _, l := range sampleRecords(t)[:12] {
		var r Record
		f := func(b []byte) {
			t.Helper()
			err := r.Parse(l.at, b)
			if err == nil && !bytes.Equal(r.again(t, b, l.at), b) || err != nil && !errors.Is(err, ErrRecord) {
				t.Fatalf("%x was read as something else: %v", b, err)
			}
		}
		for n := range len(l.record) {
			if err := r.Parse(l.at, l.record[:n]); !errors.Is(err, ErrRecord) {
				t.Fatalf("%d of %d bytes: %v", n, len(l.record), err)
			}
		}
		if err := r.Parse(l.at, append(bytes.Clone(l.record), 0)); !errors.Is(err, ErrRecord) {
			t.Fatalf("a byte more: %v", err)
		}
		for i := range len(l.record) * 8 {
			b := bytes.Clone(l.record)
			b[i/8] ^= 1 << (i % 8)
			f(b)
		}
	}
}

func TestSettlementHoldsTheCertificate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		transfer := codec.Transfer{
			Recipient: toFastPay(11), Amount: rapid.Uint64().Draw(t, "amount"), SequenceNumber: rapid.Uint64().Draw(t, "number"),
			UserData: codec.UserData{Present: rapid.Bool().Draw(t, "data")},
		}
		voters := rapid.Permutation([]byte{0, 1, 2, 3}).Draw(t, "voters")[:rapid.IntRange(1, 4).Draw(t, "votes")]
		c := certify(signOrder(10, transfer), voters...)
		ring, err := NewRing(64<<10, worldCommittee)
		if err != nil {
			t.Fatal(err)
		}
		w := writer{log: ring, members: worldCommittee}
		at := w.settlement(c, &chain{}, nil, 1, 9)
		b, _ := ring.Read(at)
		var r Record
		if err := r.Parse(at, b); err != nil || r.To != 1 || r.Number != 9 {
			t.Fatalf("%v, %+v", err, r)
		}
		got, err := r.AppendCertificate([]byte("x"), worldCommittee)
		if err != nil || !bytes.Equal(got[1:], c.Bytes()) {
			t.Fatalf("%v: %x, expected %x", err, got, c.Bytes())
		}
		binary.LittleEndian.PutUint16(r.voters[2*(len(voters)-1):], 4)
		if got, err := r.AppendCertificate([]byte("x"), worldCommittee); !errors.Is(err, ErrRecord) || string(got) != "x" {
			t.Fatalf("a voter who is not in the committee: %v, %q", err, got)
		}
	})
}

// A record that holds no certificate gives none.
func TestRecordWithoutCertificate(t *testing.T) {
	for _, l := range sampleRecords(t) {
		var r Record
		if err := r.Parse(l.at, l.record); err != nil {
			t.Fatal(err)
		}
		got, err := r.AppendCertificate([]byte("x"), worldCommittee)
		if holds := r.NumVotes() > 0; holds == errors.Is(err, ErrRecord) || !holds && string(got) != "x" {
			t.Fatalf("kind %d with %d votes: %v, %x", r.Kind, r.NumVotes(), err, got)
		}
	}
}

// A settlement credits an account of its own shard, or of another one, or of the Primary; no other record does.
func TestCreditsHere(t *testing.T) {
	seen := make(map[bool]int)
	for _, l := range sampleRecords(t) {
		var r Record
		if err := r.Parse(l.at, l.record); err != nil {
			t.Fatal(err)
		}
		want := r.Kind == RecordSettlement && r.Order.RecipientKind() == codec.FastPay &&
			committee.ShardOf(r.Order.Recipient(), 2) == l.shard
		if seen[want]++; r.CreditsHere() != want {
			t.Fatalf("kind %d, to shard %d: %v", r.Kind, r.To, r.CreditsHere())
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("samples %v", seen)
	}
}

// Records that were applied long ago change nothing, but for accounts that an operator adds.
func TestReplayAgainChangesNothing(t *testing.T) {
	d := newTestDriver(t, 2)
	funds := make(map[codec.Address]codec.Balance)
	for i := range 3 {
		funds[testKey(owner(0, 2, i))] = codec.NewBalance(100)
	}
	for a, b := range funds {
		d.fund(t, a, b)
	}
	for i := range uint64(9) {
		o := newOrder(owner(0, 2, int(i%3)), toFastPay(owner(1, 2, 0)), 1, i/3)
		d.one(0, orderMessage(o))
		if i == 8 {
			break // which stays pending
		}
		a := d.one(0, certMessage(certify(o)))
		if err := d.credit(1, 0, a.out.CreditNumber, a.out.At, certify(o)); err != nil {
			t.Fatal(err)
		}
		to := testKey(owner(1, 2, int(i)))
		for _, s := range d.shards {
			s.SyncPrimary(nil, &to, 5, i+1)
		}
		d.commit()
	}
	twin := d.recovered(t, firstSnapshot(t, 2, funds), d.log.all)
	want := twin.image()
	for _, l := range d.log.all {
		if err := twin.shards[l.shard].Replay(l.at, l.record); err != nil {
			t.Fatal(err)
		}
		if got := twin.image(); got != want {
			t.Fatalf("the record at %v again:\n%s\nbefore:\n%s", l.at, got, want)
		}
	}
}

// FuzzRecord gives any bytes to all that reads records: it refuses them, or reads exactly what is there.
func FuzzRecord(f *testing.F) {
	records := sampleRecords(f)
	for _, l := range records {
		f.Add(l.record, uint64(l.at))
	}
	f.Fuzz(func(t *testing.T, b []byte, position uint64) {
		at := Position(position &^ provisional)
		var r Record
		err := r.Parse(at, b)
		if err == nil && !bytes.Equal(r.again(t, b, at), b) || err != nil && !errors.Is(err, ErrRecord) {
			t.Fatalf("%x was read as something else: %v", b, err)
		}
		s, newErr := New(Options{
			Committee: worldCommittee, Name: testKey(0), Shard: 0, NumShards: 2, Log: newTestLog(),
		})
		m, mergeErr := NewMerger(nil, 2, []int{0})
		if newErr != nil || mergeErr != nil {
			t.Fatal(newErr, mergeErr)
		}
		var empty bytes.Buffer
		_ = m.Write(&empty)
		if m, mergeErr = NewMerger(bytes.NewReader(empty.Bytes()), 2, []int{0}); mergeErr != nil {
			t.Fatal(mergeErr)
		}
		replayErr, addErr := s.Replay(at, b), m.Add(0, at, b)
		if err != nil && (replayErr == nil || addErr == nil) {
			t.Fatalf("a bad record is applied: %v, %v", replayErr, addErr)
		}
		if addErr == nil {
			var out bytes.Buffer
			_ = m.Write(&out) // may find that it does not fit what was there
		}
	})
}
