package authority

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// A log of n records in memory: before[i] is the chain in record i.
type chainModel struct {
	chain
	before []chain
	at     []Position // of record i; [0] is none
}

func newChainModel(n uint64) *chainModel {
	m := &chainModel{before: make([]chain, 1), at: make([]Position, 1)}
	for i := uint64(1); i <= n; i++ {
		at := Position(1000 + 3*i)
		m.before, m.at = append(m.before, m.chain), append(m.at, at)
		m.extend(i, at)
	}
	return m
}

// Any number is found, in the steps that are promised.
func TestChainFindsEveryNumber(t *testing.T) {
	const most = 5000
	m := newChainModel(most)
	for _, n := range []uint64{1, 2, 31, 32, 33, 64, 1023, 1024, 1025, 2048, 3071, 4999, most} {
		c := m.before[n]
		c.extend(n, m.at[n])
		for want := uint64(1); want <= n; want++ {
			steps := uint64(0)
			for d, at := c, n; ; steps++ {
				number, position := d.toward(at, want)
				if position != m.at[number] || number < want || number > at {
					t.Fatalf("from %d of %d toward %d: number %d at %v", at, n, want, number, position)
				}
				if number == want {
					break
				}
				d, at = m.before[number], number-1
			}
			most := n/farStep + 2*nearStep
			switch {
			case want%farStep == 0: // a link leads there, and to each one on the way
				most = n / farStep
			case want%nearStep == 0:
				most = n/farStep + nearStep
			}
			if steps > most {
				t.Fatalf("number %d of %d: %d steps", want, n, steps)
			}
		}
	}
}

// What appendChain writes is what takeChain reads, whatever of it is in the same batch.
func TestChainRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Uint64Range(1, 1<<31).Draw(t, "own offset")
		base := Position(rapid.Uint64Range(1, 1<<30).Draw(t, "segment"))<<32 | 4096
		link := func(name string) Position {
			switch rapid.IntRange(0, 2).Draw(t, name) {
			case 0:
				return 0
			case 1:
				return Provisional(rapid.Uint64Range(0, offset-1).Draw(t, name+" offset"))
			}
			return Position(rapid.Uint64Range(1, uint64(base)-1).Draw(t, name+" position"))
		}
		c := chain{link("tail"), link("near"), link("far")}
		own := Provisional(offset)
		b, shape := appendChain([]byte("before"), own, &c)
		got, rest, ok := takeChain(append(b[len("before"):], "after"...), shape, own.Rebase(base))
		c.rebase(base)
		if !ok || got != c || string(rest) != "after" {
			t.Fatalf("%+v became %+v, %v, %q", c, got, ok, rest)
		}
		for cut := range len(b) - len("before") {
			if _, _, ok := takeChain(b[len("before"):][:cut], shape, own.Rebase(base)); ok {
				t.Fatalf("read from %d bytes", cut)
			}
		}
	})
}

// A reader that is led astray says so, and does not go round in circles.
func TestReaderRefusesWhatLeadsNowhere(t *testing.T) {
	d, _ := infoFixture(t, 40)
	a, b := testKey(10), testKey(11)
	s := d.shards[0]
	before, other := *s.table.find(&a), *s.table.find(&b)
	f := func(name string, change func(f *Fetch)) {
		t.Helper()
		fetch := Fetch{
			account: a, header: 1, limit: 1000, want: 3, confirmed: before.confirmed, confirmedChain: before.confirmedChain,
		}
		change(&fetch)
		reply, found, err := d.reader.Finish([]byte("x"), &fetch)
		if !errors.Is(err, ErrRecord) || found || string(reply) != "x" {
			t.Errorf("%s: %v, %v, %q", name, err, found, reply)
		}
	}
	f("another's log", func(f *Fetch) { f.account = b })
	f("the payee's log", func(f *Fetch) { f.account, f.confirmedChain = b, other.receivedChain })
	f("no tail", func(f *Fetch) { f.confirmedChain = chain{} })
	f("a position of a batch", func(f *Fetch) { f.confirmedChain.near = Provisional(7) })
	f("a log that is longer than its records", func(f *Fetch) { f.confirmed = 2000 })
	f("another's received log", func(f *Fetch) {
		f.want, f.received, f.receivedChain = 0, before.confirmed, before.confirmedChain
	})
}
