package lanes

import "crypto/sha512"

const (
	// shortMessage bounds what is hashed, the two leading pieces of 32 bytes included, without a streaming hash.
	shortMessage = 512

	// longestLane is the longest message that the kernel takes, so that a call stays short and one long message does
	// not make fifteen others wait: with the 64 leading bytes and the padding, eight blocks.
	longestLane = 8*128 - 17 - 64

	// fewest is the smallest number of messages for which eight lanes beat hashing them one by one (KERNELS.md).
	fewest = 2
)

// HashChallenges sets dst[i] to SHA-512(r[i] || a[i] || messages[i]) mod l, canonical: the challenge k of RFC 8032, over
// the bytes as they were received. All slices have the length of dst, or it panics. Messages may have any lengths; it is
// fastest when neighbors have the same number of 128-byte blocks. Nothing is kept.
func HashChallenges(dst [][32]byte, r, a []*[32]byte, messages [][]byte, s *Scratch) {
	n := len(dst)
	if len(r) != n || len(a) != n || len(messages) != n {
		panic("lanes: HashChallenges: slices of different lengths")
	}
	var in inputs
	for i := 0; i < n; {
		count := min(n-i, group)
		if !Supported || count < fewest {
			hashOne(&dst[i], r[i], a[i][:], messages[i], s)
			i++
			continue
		}
		for l := range count {
			in.first[l], in.second[l], in.message[l] = r[i+l], a[i+l], messages[i+l]
		}
		in.hash(dst[i:i+count], s)
		i += count
	}
}

// HashNonces sets dst[i] to SHA-512(prefix || messages[i]) mod l, canonical: the secret nonce r of RFC 8032, where prefix
// is the second half of the hashed seed. dst and messages have the same length, or it panics. The prefix and the results
// are secret: time and addresses depend only on the number and the lengths of the messages, and s is wiped at the end.
func HashNonces(dst [][32]byte, prefix *[32]byte, messages [][]byte, s *Scratch) {
	n := len(dst)
	if len(messages) != n {
		panic("lanes: HashNonces: slices of different lengths")
	}
	defer s.Wipe()
	var in inputs
	for i := 0; i < n; {
		count := 0
		if Supported {
			for count < min(n-i, group) && len(messages[i+count]) >= 32 {
				m := messages[i+count]
				in.first[count], in.second[count], in.message[count] = prefix, (*[32]byte)(m), m[32:]
				count++
			}
		}
		if count < fewest {
			hashOne(&dst[i], prefix, nil, messages[i], s)
			i++
			continue
		}
		in.hash(dst[i:i+count], s)
		i += count
	}
}

// inputs names the messages of one group: two pieces of 32 bytes and the rest of each. The pieces are read where they
// lie.
type inputs struct {
	first, second [group]*[32]byte
	message       [group][]byte
}

// hash reduces the hashes of the first len(dst) inputs, 1 to 16.
func (in *inputs) hash(dst [][32]byte, s *Scratch) {
	count := len(dst)
	w := s.work()
	blocks, long := 0, false
	for l := range count {
		n := len(in.message[l])
		if n > longestLane {
			long = true
			continue
		}
		blocks = max(blocks, (64+n+17+127)/128)
	}
	streams := (count + Lanes - 1) / Lanes
	for l := count; l < streams*Lanes; l++ { // lanes left over do what lane 0 does
		in.first[l], in.second[l], in.message[l] = in.first[0], in.second[0], in.message[0]
	}

	w.state[0] = initialState
	if streams == 2 {
		w.state[1] = initialState
	}
	for b := range blocks {
		active := uint16(load8(&w.words[0], &in.first[0], &in.second[0], &in.message[0], uint64(b)))
		if streams == 1 {
			compress8(&w.state[0], &w.words[0], uint8(active))
			continue
		}
		active |= uint16(load8(&w.words[1], &in.first[Lanes], &in.second[Lanes], &in.message[Lanes], uint64(b))) << Lanes
		compress16(&w.state, &w.words, active)
	}
	for t := range streams {
		part := dst[Lanes*t : min(Lanes*(t+1), count)]
		if len(part) == Lanes {
			reduceHash8((*[Lanes][32]byte)(part), &w.state[t])
			continue
		}
		reduceHash8((*[Lanes][32]byte)(w.scalars[:]), &w.state[t])
		copy(part, w.scalars[:])
	}
	if long { // their lanes stopped early and hold nothing of use
		for l := range count {
			if len(in.message[l]) > longestLane {
				hashOne(&dst[l], in.first[l], in.second[l][:], in.message[l], s)
			}
		}
	}
}

// hashOne reduces SHA-512(first || second || message) with the standard library; second may be empty.
func hashOne(dst *[32]byte, first *[32]byte, second, message []byte, s *Scratch) {
	b := append(s.buffer[:0], first[:]...)
	b = append(b, second...)
	var digest [64]byte
	if len(b)+len(message) <= shortMessage {
		digest = sha512.Sum512(append(b, message...))
	} else {
		if s.long == nil {
			s.long = sha512.New()
		}
		s.long.Reset()
		s.long.Write(b)
		for len(message) > 0 { // through the buffer, so that the caller's bytes need not live in the heap
			n := copy(s.buffer[:], message)
			s.long.Write(s.buffer[:n])
			message = message[n:]
		}
		s.long.Sum(s.buffer[:0])
		copy(digest[:], s.buffer[:])
	}
	Reduce(dst, &digest)
	clear(digest[:]) // a nonce, perhaps
}
