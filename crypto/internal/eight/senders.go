package eight

import "fastpay/crypto/internal/ifma"

const (
	// cacheKeys is how many senders' keys a checker keeps decoded with their 2^128 multiple: 304 bytes each, 10 MB.
	cacheKeys = 1 << 15
	// cacheFrom is the number of keys of one batch from which there is a cache: who checks a few signatures has no use for
	// 10 MB.
	cacheFrom = 32
)

// senders are the keys of a batch, each once, and a cache of those that were seen before.
type senders struct {
	keys  []sender
	index []int32 // unknown to key
	slots []slot  // hash table of keys; its length is a power of two
	batch uint32  // which batch the slots in use belong to

	places    []place
	missing   []int32 // keys to decode
	encodings []byte
	points    []ifma.CachedPoint
	full      []ifma.Key
	ok        []bool
}

// sender is a key of the batch.
type sender struct {
	bytes *[32]byte
	hash  uint64
	ok    bool
	known bool // with its multiple, in the cache
	sum   int32
	full  int32            // index in senders.full, after complete
	point ifma.CachedPoint // when it is not known
}

type slot struct {
	batch uint32
	key   int32
}

// place is one key of the cache. A key has one place, given by its hash, and whoever came last keeps it. The hash is
// secret, so nobody can aim at another's place. A key comes without its multiple, which takes ten times as long to make as
// the key takes to decode, and earns that when it is seen again.
type place struct {
	bytes [32]byte
	state placeState
	key   ifma.Key
}

type placeState uint8

const (
	placeEmpty placeState = iota
	placeSeen             // bytes only
	placeKnown
)

func (t *senders) begin(n int) {
	t.batch++
	t.keys, t.index = t.keys[:0], t.index[:0]
	if want := 2 * n; len(t.slots) < want || t.batch == 0 {
		size := max(64, len(t.slots))
		for size < want {
			size *= 2
		}
		t.slots, t.batch = make([]slot, size), 1
	}
}

// add gives the next unknown its key.
func (t *senders) add(hash uint64, bytes *[32]byte) {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := &t.slots[at]
		if s.batch != t.batch {
			*s = slot{t.batch, int32(len(t.keys))}
			t.keys = append(t.keys, sender{bytes: bytes, hash: hash})
		}
		if *t.keys[s.key].bytes == *bytes {
			t.index = append(t.index, s.key)
			return
		}
	}
}

func (t *senders) of(i int) *sender       { return &t.keys[t.index[i]] }
func (t *senders) decoded(i int) bool     { return t.of(i).ok }
func (t *senders) move(to, from int)      { t.index[to] = t.index[from] }
func (t *senders) place(s *sender) *place { return &t.places[s.hash%cacheKeys] }

// decode decodes the keys that are not known.
func (t *senders) decode(scratch *ifma.Scratch) {
	if t.places == nil && len(t.keys) >= cacheFrom {
		t.places = make([]place, cacheKeys)
	}
	t.missing, t.encodings = t.missing[:0], t.encodings[:0]
	for i := range t.keys {
		s := &t.keys[i]
		if t.places != nil {
			if p := t.place(s); p.state == placeKnown && p.bytes == *s.bytes {
				s.ok, s.known = true, true
				continue
			}
		}
		t.missing = append(t.missing, int32(i))
		t.encodings = append(t.encodings, s.bytes[:]...)
	}
	t.points, t.ok = resize(t.points, len(t.missing)), resize(t.ok, len(t.missing))
	scratch.DecodePoints(t.points, t.ok, t.encodings, 32)
	for j, i := range t.missing {
		t.keys[i].ok, t.keys[i].point = t.ok[j], t.points[j]
	}
}

// addTo adds a key's term to an equation, and makes it ready for the next one.
func (t *senders) addTo(sum *ifma.Sum, i int32, scalar *[32]byte) {
	s := &t.keys[i]
	s.sum = 0
	if s.known {
		sum.AddKey(&t.place(s).key, scalar)
	} else {
		sum.AddPoint(&s.point, scalar)
	}
}

// complete makes the 2^128 multiples of the keys that are not known, so that key has them.
func (t *senders) complete(scratch *ifma.Scratch) {
	t.encodings = t.encodings[:0]
	for j, i := range t.missing {
		t.keys[i].full = int32(j)
		t.encodings = append(t.encodings, t.keys[i].bytes[:]...)
	}
	t.full, t.ok = resize(t.full, len(t.missing)), resize(t.ok, len(t.missing))
	scratch.DecodeKeys(t.full, t.ok, t.encodings, 32)
}

// key is the key of an unknown, after complete, until keep.
func (t *senders) key(i int) *ifma.Key {
	s := t.of(i)
	if s.known {
		return &t.place(s).key
	}
	return &t.full[s.full]
}

// keep enters the keys of the batch that were not known: the first time by name, the second time with what helps.
func (t *senders) keep(scratch *ifma.Scratch) {
	if t.places == nil {
		return
	}
	again, encodings := t.missing[:0], t.encodings[:0]
	for _, i := range t.missing {
		s := &t.keys[i]
		if !s.ok {
			continue
		}
		if p := t.place(s); p.state != placeEmpty && p.bytes == *s.bytes {
			again = append(again, i)
			encodings = append(encodings, s.bytes[:]...)
		} else if p.state != placeKnown || s.hash>>63 == 0 {
			*p = place{bytes: *s.bytes, state: placeSeen}
		}
	}
	t.full, t.ok = resize(t.full, len(again)), resize(t.ok, len(again))
	scratch.DecodeKeys(t.full, t.ok, encodings, 32)
	for j, i := range again {
		if p := t.place(&t.keys[i]); p.bytes == *t.keys[i].bytes {
			p.state, p.key = placeKnown, t.full[j]
		}
	}
	for i := range t.keys {
		t.keys[i].bytes = nil // the caller's
	}
}
