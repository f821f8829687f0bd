package eight

import "fastpay/crypto/internal/ifma"

const (
	// cacheKeys is how many senders' keys a checker keeps decoded with their multiples: 560 bytes each, 18 MB.
	cacheKeys = 1 << 15
	// cacheFrom is the number of keys of one batch from which the cache has that size: who checks a few signatures at a
	// time has no use for 18 MB, and keeps cacheFew keys.
	cacheFrom = 32
	cacheFew  = 64
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
	full      []ifma.Key // of the missing ones, if completed
	completed bool
	ok        []bool
}

// sender is a key of the batch.
type sender struct {
	bytes *[32]byte
	hash  uint64
	ok    bool
	sum   int32            // its term in an equation, 0 while it has none
	key   *ifma.Key        // with its multiples, in the cache or in senders.full; nil if they are not known
	point ifma.CachedPoint // when they are not
}

type slot struct {
	batch uint32
	key   int32
}

// place is one key of the cache. A key has two places, given by its hash. The hash is secret, so nobody can aim at
// another's places. A key comes without its multiples, which take ten times as long to make as the key takes to decode,
// and earns them when it is seen again.
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
	t.completed = false
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

func (t *senders) of(i int) *sender   { return &t.keys[t.index[i]] }
func (t *senders) decoded(i int) bool { return t.of(i).ok }
func (t *senders) move(to, from int)  { t.index[to] = t.index[from] }

// find returns the place of a key that is in the cache, or nil, and the place that it may take.
func (t *senders) find(s *sender) (found, free *place) {
	at := s.hash % uint64(len(t.places))
	for _, p := range [2]*place{&t.places[at], &t.places[at^1]} {
		switch {
		case p.state == placeEmpty:
			free = p
		case p.bytes == *s.bytes:
			return p, nil
		case free == nil && p.state == placeSeen:
			free = p
		}
	}
	if free == nil && s.hash>>62 == 0 { // a known one gives way to every fourth key
		free = &t.places[at^(s.hash>>61&1)]
	}
	return nil, free
}

// lookUp looks for the keys in the cache, and appends the encodings of those that are to be decoded.
func (t *senders) lookUp(encodings []byte) []byte {
	if len(t.keys) >= cacheFrom && len(t.places) < cacheKeys {
		t.places = make([]place, cacheKeys)
	} else if t.places == nil {
		t.places = make([]place, cacheFew)
	}
	t.missing = t.missing[:0]
	for i := range t.keys {
		s := &t.keys[i]
		if p, _ := t.find(s); p != nil && p.state == placeKnown {
			s.ok, s.key = true, &p.key
			continue
		}
		t.missing = append(t.missing, int32(i))
		encodings = append(encodings, s.bytes[:]...)
	}
	return encodings
}

// decode takes the points of those keys.
func (t *senders) decode(points []ifma.CachedPoint, ok []bool) {
	for j, i := range t.missing {
		t.keys[i].ok, t.keys[i].point = ok[j], points[j]
	}
}

// addTo adds a key's term to an equation, and makes it ready for the next one.
func (t *senders) addTo(sum *ifma.Sum, i int32, scalar *[32]byte) {
	s := &t.keys[i]
	s.sum = 0
	if s.key != nil {
		sum.AddKey(s.key, scalar)
	} else {
		sum.AddPoint(&s.point, scalar)
	}
}

// complete makes the multiples of the keys that are not known.
func (t *senders) complete(scratch *ifma.Scratch) {
	if t.completed {
		return
	}
	t.completed = true
	t.encodings = t.encodings[:0]
	for _, i := range t.missing {
		t.encodings = append(t.encodings, t.keys[i].bytes[:]...)
	}
	t.full, t.ok = resize(t.full, len(t.missing)), resize(t.ok, len(t.missing))
	scratch.DecodeKeys(t.full, t.ok, t.encodings, 32)
	for j, i := range t.missing {
		t.keys[i].key = &t.full[j]
	}
}

// keep enters the keys of the batch that were not known: the first time by name, unless their multiples are there, the
// second time with them.
func (t *senders) keep(scratch *ifma.Scratch) {
	again, encodings := t.missing[:0], t.encodings[:0]
	for _, i := range t.missing {
		s := &t.keys[i]
		if !s.ok {
			continue
		}
		found, free := t.find(s)
		switch {
		case found == nil && free == nil:
		case t.completed:
			if found == nil {
				found = free
			}
			*found = place{bytes: *s.bytes, state: placeKnown, key: *s.key}
		case found != nil:
			again = append(again, i)
			encodings = append(encodings, s.bytes[:]...)
		default:
			*free = place{bytes: *s.bytes, state: placeSeen}
		}
	}
	t.full, t.ok = resize(t.full, len(again)), resize(t.ok, len(again))
	scratch.DecodeKeys(t.full, t.ok, encodings, 32)
	for j, i := range again {
		if p, _ := t.find(&t.keys[i]); p != nil {
			p.state, p.key = placeKnown, t.full[j]
		}
	}
	for i := range t.keys {
		t.keys[i].bytes, t.keys[i].key = nil, nil // the caller's, and what may be replaced
	}
}
