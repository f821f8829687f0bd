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

	tags      []tag
	places    []place // as many
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

// place is one known key of the cache, and tag what is known of a place: the hash of its key, and in the two lowest bits a
// state. Looking for a key that nobody has seen reads tags only, which stay in the second-level cache where places do not.
// A key may have two places, given by its hash. The hash is secret, so nobody can aim at another's places, nor at a tag. A
// key comes without its multiples, which take ten times as long to make as the key takes to decode, and earns them when it
// is seen again.
type place struct {
	bytes [32]byte
	key   ifma.Key
}

type tag uint64

const (
	tagEmpty  tag = 0
	tagSeen   tag = 1 // place is unused
	tagKnown  tag = 2
	tagStates tag = 3
)

func (g tag) state() tag               { return g & tagStates }
func (g tag) isOf(hash uint64) bool    { return (g^tag(hash))&^tagStates == 0 }
func tagOf(hash uint64, state tag) tag { return tag(hash)&^tagStates | state }

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

// none is no place.
const none = -1

// find returns the place of a key that is in the cache, or none, and then the place that it may take, or none.
func (t *senders) find(s *sender) (found, free int) {
	free = none
	first := int(s.hash >> 2 % uint64(len(t.tags)))
	for _, at := range [2]int{first, first ^ 1} {
		switch g := t.tags[at]; {
		case g == tagEmpty:
			free = at
		case g.isOf(s.hash) && (g.state() == tagSeen || t.places[at].bytes == *s.bytes):
			return at, none
		case free == none && g.state() == tagSeen:
			free = at
		}
	}
	if free == none && s.hash>>62 == 0 { // a known one gives way to every fourth key
		free = first ^ int(s.hash>>61&1)
	}
	return none, free
}

// lookUp looks for the keys in the cache, and appends the encodings of those that are to be decoded.
func (t *senders) lookUp(encodings []byte) []byte {
	if len(t.keys) >= cacheFrom && len(t.tags) < cacheKeys {
		t.setPlaces(cacheKeys)
	} else if t.tags == nil {
		t.setPlaces(cacheFew)
	}
	t.missing = t.missing[:0]
	for i := range t.keys {
		s := &t.keys[i]
		if at, _ := t.find(s); at != none && t.tags[at].state() == tagKnown {
			s.ok, s.key = true, &t.places[at].key
			continue
		}
		t.missing = append(t.missing, int32(i))
		encodings = append(encodings, s.bytes[:]...)
	}
	return encodings
}

// setPlaces makes an empty cache of n keys, an even number.
func (t *senders) setPlaces(n int) { t.tags, t.places = make([]tag, n), make([]place, n) }

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
		case found == none && free == none:
		case t.completed:
			if found == none {
				found = free
			}
			t.enter(found, s, s.key)
		case found != none:
			again = append(again, i)
			encodings = append(encodings, s.bytes[:]...)
		default:
			t.tags[free] = tagOf(s.hash, tagSeen)
		}
	}
	t.full, t.ok = resize(t.full, len(again)), resize(t.ok, len(again))
	scratch.DecodeKeys(t.full, t.ok, encodings, 32)
	for j, i := range again {
		if at, _ := t.find(&t.keys[i]); at != none {
			t.enter(at, &t.keys[i], &t.full[j])
		}
	}
	for i := range t.keys {
		t.keys[i].bytes, t.keys[i].key = nil, nil // the caller's, and what may be replaced
	}
}

// enter puts a key with its multiples into its place.
func (t *senders) enter(at int, s *sender, key *ifma.Key) {
	t.tags[at], t.places[at] = tagOf(s.hash, tagKnown), place{*s.bytes, *key}
}
