package sim

// An arena is memory for replies, which are many, small and never changed once they have left. Its zero value is ready.
type arena struct {
	chunk   []byte // the rest of it
	scratch []byte // where the next reply is made
}

// arenaChunk is small, because one reply that somebody keeps keeps all of a chunk.
const arenaChunk = 32 << 10

// begin is empty, with room for what is usual. What is appended to it is valid until the next call.
func (a *arena) begin() []byte {
	if a.scratch == nil {
		a.scratch = make([]byte, 0, 2*maxReply)
	}
	return a.scratch
}

// keep copies a reply into memory of its own.
func (a *arena) keep(reply []byte) []byte {
	n := len(reply)
	if n > len(a.chunk) {
		a.chunk = make([]byte, max(n, arenaChunk))
	}
	kept := a.chunk[:n:n]
	a.chunk = a.chunk[n:]
	copy(kept, reply)
	return kept
}
