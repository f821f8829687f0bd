package committee

import (
	"encoding/binary"

	"fastpay/codec"
)

// ShardOf is the shard that owns address a when an authority has numShards (at least 1): the little-endian u32 in its
// last four bytes, modulo numShards.
func ShardOf(a *codec.Address, numShards int) int {
	if sabotaged("committee: the shard is chosen by the wrong bytes") {
		return int(binary.LittleEndian.Uint32(a[:4]) % uint32(numShards))
	}
	return int(binary.LittleEndian.Uint32(a[len(a)-4:]) % uint32(numShards))
}
