package voi

import "fastpay/crypto/internal/edwards"

const (
	// cacheKeys is how many senders' keys a checker keeps decoded: 900 bytes each, 30 MB in all, which are touched as keys
	// come. A key that is there saves 2 µs, a fifth of the check of an order.
	cacheKeys = 1 << 15
	// cacheFrom is the number of keys of one batch from which there is a cache: who checks a few signatures has no use for
	// 30 MB.
	cacheFrom = 32
	// combShare is the part of a batch's keys that get a comb, if they came before: each takes 15 µs, so the batch takes a
	// tenth longer, until all have theirs. Combs serve checks of one signature alone, which bad ones make necessary.
	combShare = 16
)

// keyCache maps encoded keys to points. A key has one place, given by its hash, and whoever came last keeps it. The hash
// is secret, so nobody can aim at another's place.
type keyCache struct {
	places []cachedKey
	combs  []edwards.Comb // of the keys in places, apart from them: an equation reads points only
	comber edwards.Comber
}

// cachedKey is a key that decodes. The zero value stands for no key: the key of 32 zeros decodes to a point of order 4,
// and the zero value's sum of coordinates is no point's.
type cachedKey struct {
	bytes    [32]byte
	point    edwards.Niels
	combMade bool
}

// find returns the place of a key, which is its own until the next keep, or nil.
func (c *keyCache) find(hash uint64, bytes *[32]byte) *cachedKey {
	if c.places == nil {
		return nil
	}
	k := &c.places[hash%cacheKeys]
	if k.bytes != *bytes || k.point == (edwards.Niels{}) {
		return nil
	}
	return k
}

// comb returns the comb of a key that was found, or nil.
func (c *keyCache) comb(k *senderKey) *edwards.Comb {
	if k.cached == nil || !k.cached.combMade {
		return nil
	}
	return &c.combs[k.hash%cacheKeys]
}

// keep puts the keys of a batch into the cache that were not found there, and makes combs for some that were. What find
// returned before is no longer good.
func (c *keyCache) keep(keys []senderKey) {
	if c.places == nil {
		if len(keys) < cacheFrom {
			return
		}
		c.places, c.combs = make([]cachedKey, cacheKeys), make([]edwards.Comb, cacheKeys)
	}
	combs := len(keys) / combShare
	for i := range keys {
		k := &keys[i]
		if !k.ok {
			continue
		}
		at := k.hash % cacheKeys
		place := &c.places[at]
		switch {
		case k.cached == nil && place.bytes != *k.bytes:
			place.bytes, place.point, place.combMade = *k.bytes, *k.point, false
		case k.cached != nil && place.bytes == *k.bytes && !place.combMade && combs > 0:
			c.comber.Make(&c.combs[at], &place.point)
			place.combMade = true
			combs--
		}
	}
}
