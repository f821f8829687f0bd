package authority

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/node/committee"
)

// image is all of a shard's state but the votes of pending orders, exactly; the order in which accounts were made is left
// out.
func (s *Shard) image() string {
	var lines []string
	for i := range s.table.accounts.n {
		a := *s.table.accounts.at(i)
		var order []byte
		if a.pending != 0 {
			order = s.pending.slots.at(a.pending - 1).orderBytes()
			a.pending = 1
		}
		lines = append(lines, fmt.Sprintf("%x %+v pending %x", a.address[:4], a, order))
	}
	slices.Sort(lines)
	for i, l := range s.lanes {
		lines = append(lines, fmt.Sprintf("lane %d: cursor %d %x issued %d acknowledged %d %x marks from %d every %d %v", i,
			l.cursor, l.sum, l.out.issued, l.out.acknowledged, l.out.sum, l.out.first, l.out.interval, l.out.marks))
		if len(l.out.marks) == 0 {
			lines[len(lines)-1] = fmt.Sprintf("lane %d: cursor %d %x issued and acknowledged %d %x", i, l.cursor, l.sum,
				l.out.issued, l.out.sum)
		}
	}
	return fmt.Sprintf("%s pending %d last transaction %d", lines, s.pending.used, s.lastTransaction)
}

func (d *driver) image() (text string) {
	for i, s := range d.shards {
		text += fmt.Sprintf("shard %d: %s\n", i, s.image())
	}
	return text
}

// twin is a driver like d with empty shards and the same log, which nothing is appended to.
func (d *driver) twin(t testing.TB) *driver {
	t.Helper()
	opts := Options{Committee: d.committee, Name: d.name, NumShards: len(d.shards), Log: d.log, HashSeed: [2]uint64{7, 8}}
	twin := &driver{seed: d.seed, scheme: d.scheme, log: d.log}
	if err := twin.open(opts); err != nil {
		t.Fatal(err)
	}
	return twin
}

// firstSnapshot is that of the initial accounts.
func firstSnapshot(t testing.TB, numShards int, funds map[codec.Address]codec.Balance) []byte {
	t.Helper()
	var shards []int
	for i := range numShards {
		shards = append(shards, i)
	}
	m, err := NewMerger(nil, numShards, shards)
	if err != nil {
		t.Fatal(err)
	}
	for a, b := range funds {
		if err := m.Fund(&a, b); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// merge is the snapshot after old and some records. These come in groups of different sizes, and their memory is used for
// something else as soon as the merger has let them go.
func merge(t testing.TB, old []byte, numShards int, records []logged) []byte {
	t.Helper()
	var shards []int
	for i := range numShards {
		shards = append(shards, i)
	}
	m, err := NewMerger(bytes.NewReader(old), numShards, shards)
	if err != nil {
		t.Fatal(err)
	}
	m.Seed([2]uint64{uint64(len(old)), uint64(len(records))})
	var kept []Logged
	for size := 0; len(records) > 0; size = (size*5 + 1) % 71 {
		group := len(kept)
		for _, r := range records[:min(size, len(records))] {
			kept = append(kept, Logged{r.shard, r.at, bytes.Clone(r.record)})
		}
		records = records[min(size, len(records)):]
		if err := m.AddAll(kept[group:]); err != nil {
			t.Fatal(err)
		}
		if left := len(kept) - 2*size; left > 0 {
			if err := m.Leave(kept[left-1].At + 1); err != nil {
				t.Fatal(err)
			}
			for _, r := range kept[:left] {
				clear(r.Record)
			}
			kept = kept[left:]
		}
	}
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// recovered is a twin of d with the state of a snapshot and some records.
func (d *driver) recovered(t testing.TB, snapshot []byte, records []logged) *driver {
	t.Helper()
	twin := d.twin(t)
	if err := Load(bytes.NewReader(snapshot), twin.shards); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := twin.shards[r.shard].Replay(r.at, r.record); err != nil {
			t.Fatal(err)
		}
	}
	return twin
}

// A livingLog is a driver that does all that makes records, as a rapid test draws it, and remembers its image after each
// batch, by the number of records.
type livingLog struct {
	*driver
	t       *rapid.T
	owners  []byte
	funds   map[codec.Address]codec.Balance
	next    map[byte]uint64
	credits [][]credit // sent and not acknowledged, by the shard that paid
	images  map[int]string
}

func newLivingLog(t *rapid.T, tb testing.TB, sch scheme) *livingLog {
	l := &livingLog{
		t: t, funds: make(map[codec.Address]codec.Balance), next: make(map[byte]uint64), images: make(map[int]string),
		driver: newTestDriver(tb, rapid.IntRange(1, 3).Draw(t, "shards")),
	}
	l.scheme = sch
	l.credits = make([][]credit, len(l.shards))
	for seed := range byte(6) {
		l.owners = append(l.owners, 100+seed)
		if seed < 4 {
			l.funds[testKey(100+seed)] = codec.NewBalance(1000)
		}
	}
	for a, b := range l.funds {
		l.fund(tb, a, b)
	}
	l.images[0] = l.image()
	return l
}

func (l *livingLog) step() {
	t := l.t
	payer := rapid.SampledFrom(l.owners).Draw(t, "payer")
	account := testKey(payer)
	shard := committee.ShardOf(&account, len(l.shards))
	transfer := codec.Transfer{
		Recipient: toFastPay(rapid.SampledFrom(append([]byte{120, 121}, l.owners...)).Draw(t, "payee")),
		Amount:    rapid.Uint64Range(1, 9).Draw(t, "amount"), SequenceNumber: l.next[payer],
		UserData: codec.UserData{Present: rapid.IntRange(0, 3).Draw(t, "data") == 0},
	}
	if rapid.IntRange(0, 7).Draw(t, "primary") == 0 {
		transfer.Recipient.Kind = codec.Primary
	}
	o := signOrderBy(l.scheme, payer, transfer)
	voters := rapid.SampledFrom([][]byte{{0, 1, 2}, {3, 1, 0}, {0, 1, 2, 3}}).Draw(t, "voters")
	if p := l.shards[shard].Payer(o).pending(o); p != nil && !bytes.Equal(p.transferBytes(), o.TransferBytes()) {
		voters = []byte{3, 1, 2} // we voted for another one
	}
	c := certifyBy(l.scheme, o, voters...)
	switch rapid.IntRange(0, 9).Draw(t, "step") {
	case 0, 1:
		l.one(shard, orderMessage(o))
	case 2, 3, 4: // both, in one batch or with another order pending
		l.settled(shard, payer, l.batch(shard, orderMessage(o), certMessage(c)))
	case 5:
		l.settled(shard, payer, l.batch(shard, certMessage(c)))
	case 6, 7:
		l.deliver()
	case 8:
		l.shards[shard].SyncPrimary(nil, &account, 5, l.shards[shard].LastTransaction()+1)
		l.commit()
	case 9:
		l.add()
	}
	l.images[len(l.log.all)] = l.image()
}

func (l *livingLog) settled(shard int, payer byte, answers []answer) {
	a := answers[len(answers)-1]
	if a.err != nil || !a.out.Changed {
		l.t.Fatalf("not settled: %v", a.err)
	}
	l.next[payer]++
	if a.creditTo >= 0 {
		r := l.read(a.out.At)
		cert, err := r.AppendCertificate(nil, l.committee)
		c, parseErr := codec.ParseCertificate(cert)
		if err != nil || parseErr != nil {
			l.t.Fatalf("%v, %v", err, parseErr)
		}
		l.credits[shard] = append(l.credits[shard], credit{shard, a.creditTo, a.out.CreditNumber, a.out.At, c})
	}
}

func (l *livingLog) read(at Position) (r Record) {
	b, err := l.log.read(at)
	if err == nil {
		err = r.Parse(at, b)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// deliver brings the next credit of a lane to its shard, and sometimes acknowledges it.
func (l *livingLog) deliver() {
	from := rapid.IntRange(0, len(l.shards)-1).Draw(l.t, "from")
	for _, c := range l.credits[from] {
		to := l.shards[c.to]
		if c.number != to.Cursor(from)+1 {
			continue
		}
		if rapid.Bool().Draw(l.t, "apart") {
			c.at = 0
		}
		if err := l.credit(c.to, from, c.number, c.at, c.cert); err != nil {
			l.t.Fatal(err)
		}
		if rapid.Bool().Draw(l.t, "acknowledged") {
			if err := l.shards[from].Acknowledge(c.to, c.number, to.CursorSum(from)); err != nil {
				l.t.Fatal(err)
			}
			l.commit()
			l.credits[from] = slices.DeleteFunc(l.credits[from], func(o credit) bool { return o.to == c.to && o.number <= c.number })
		}
		return
	}
}

// add funds an account, one that nobody has or one that is there.
func (l *livingLog) add() {
	a := testKey(rapid.SampledFrom(l.owners).Draw(l.t, "account to add"))
	if rapid.Bool().Draw(l.t, "new") {
		a = testKey(byte(rapid.IntRange(200, 210).Draw(l.t, "new account")))
	}
	if err := l.shardOf(a).AddAccount(&a, codec.NewBalance(50)); err != nil {
		l.t.Fatal(err)
	}
	l.commit()
}

// At every record boundary, the state is the same by the way of the records alone, and by that of any snapshots before;
// at the end of a batch it is the state that lived. Then all logs are read back, and the votes are the same.
func TestRecoveryMatchesLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLivingLog(rt, t, cheap{})
		for range 40 {
			l.step()
		}
		records, n := l.log.all, len(l.shards)
		first := firstSnapshot(t, n, l.funds)
		later := rapid.IntRange(0, len(records)).Draw(rt, "snapshot at")
		last := rapid.IntRange(later, len(records)).Draw(rt, "next snapshot at")
		one := merge(t, first, n, records[:later])
		two := merge(t, one, n, records[later:last])
		if direct := merge(t, first, n, records[:last]); !bytes.Equal(direct, two) {
			rt.Fatalf("two snapshots give another one than a single one")
		}
		replayed := l.recovered(t, first, nil)
		for cut := 0; ; cut++ {
			want := replayed.image()
			if lived, ok := l.images[cut]; ok && want != lived {
				rt.Fatalf("after %d records:\n%s\nlived:\n%s", cut, want, lived)
			}
			ways := map[string]*driver{"a snapshot there": l.recovered(t, merge(t, first, n, records[:cut]), nil)}
			if cut >= later {
				ways["the first snapshot"] = l.recovered(t, one, records[later:cut])
			}
			if cut >= last {
				ways["the second snapshot"] = l.recovered(t, two, records[last:cut])
			}
			for name, d := range ways {
				if got := d.image(); got != want {
					rt.Fatalf("after %d records, by %s:\n%s\nby all records:\n%s", cut, name, got, want)
				}
			}
			if cut == len(records) {
				break
			}
			r := records[cut]
			for range 2 { // repeats change nothing, but for accounts that an operator adds
				if err := replayed.shards[r.shard].Replay(r.at, r.record); err != nil {
					rt.Fatal(err)
				}
				if RecordKind(r.record[0]) == RecordFunded {
					break
				}
			}
		}
		end := l.recovered(t, two, records[last:])
		end.askForVotes(rt)
		l.askForVotes(rt)
		if got, want := end.dump(), l.dump(); got != want {
			rt.Fatalf("recovered:\n%s\nlived:\n%s", got, want)
		}
		end.compareLogs(rt, l.driver)
	})
}

// askForVotes asks for every account, so that all votes are signed.
func (d *driver) askForVotes(t *rapid.T) {
	for i, s := range d.shards {
		for a := range s.Accounts() {
			q := codec.InfoRequest{Account: a.Address}
			r := d.batch(i, codec.AppendInfoRequest(nil, &q), codec.AppendInfoRequest(nil, &q))
			if string(r[0].reply) != string(r[1].reply) {
				t.Fatalf("two answers about one account: %x, %x", r[0].reply, r[1].reply)
			}
			if info := infoOfWorld(t, r[0].reply); !info.Pending.IsZero() {
				if sig := (cheap{}).sign(d.seed, info.Pending.Order().AppendSignedBytes(nil)); sig != *info.Pending.Signature() {
					t.Fatalf("%x is no vote", info.Pending.Bytes())
				}
			}
		}
	}
}

// compareLogs reads every certificate back in both ways, from both.
func (d *driver) compareLogs(t *rapid.T, lived *driver) {
	for i, s := range d.shards {
		for a := range s.Accounts() {
			for n := range max(a.Confirmed, a.Received) {
				q := codec.InfoRequest{Account: a.Address, HasSequence: n < a.Confirmed, Sequence: n, HasReceived: true, ReceivedAfter: n}
				got, want := d.info(i, &q, 1<<16), lived.info(i, &q, 1<<16)
				if !got.out.Accepted || string(got.reply) != string(want.reply) {
					t.Fatalf("%+v: %x, lived %x", q, got.reply, want.reply)
				}
			}
		}
	}
}
