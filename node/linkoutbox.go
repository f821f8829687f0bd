package node

import (
	"context"
	"fmt"

	"fastpay/codec"
)

// credit finds a credit: in the ring, if it is new, or in the journal.
func (l *outLink) credit(ctx context.Context, number uint64) (codec.Certificate, error) {
	l.pass(number)
	if _, newest, record, _, ok := l.ring.next(l.taken); ok && newest == number {
		return l.parse(number, record)
	}
	cert, ok := l.chunk.certificate(number)
	if !ok {
		l.chunk.begin(number)
		if err := l.readBack(ctx, number, &l.chunk); err != nil {
			return codec.Certificate{}, err
		}
		l.stats.readBack.Add(uint64(len(l.chunk.ends)))
		if cert, ok = l.chunk.certificate(number); !ok {
			err := fmt.Errorf("node: credit %d from shard %d to shard %d is not in the journal", number, l.pair.From, l.pair.To)
			l.fail(err)
			return codec.Certificate{}, err
		}
	}
	return l.parse(number, cert)
}

func (l *outLink) parse(number uint64, bytes []byte) (codec.Certificate, error) {
	cert, err := codec.ParseCertificate(bytes)
	if err != nil { // these bytes were checked before they were kept
		err = fmt.Errorf("node: damaged credit %d from shard %d to shard %d: %w", number, l.pair.From, l.pair.To, err)
		l.fail(err)
	}
	return cert, err
}

// pass gives back the room of credits in the ring before a number.
func (l *outLink) pass(number uint64) {
	for {
		_, newest, _, after, ok := l.ring.next(l.taken)
		if !ok || newest >= number {
			return
		}
		l.taken = after
		l.ring.release(after)
	}
}

// creditChunk is credits with numbers in a row that were read back. Its memory is reused.
type creditChunk struct {
	first uint64
	ends  []int
	bytes []byte
}

func (c *creditChunk) begin(first uint64) { c.first, c.ends, c.bytes = first, c.ends[:0], c.bytes[:0] }

// next is the number that add takes.
func (c *creditChunk) next() uint64 { return c.first + uint64(len(c.ends)) }

// full reports whether to add no more.
func (c *creditChunk) full() bool { return len(c.bytes) >= linkChunkBytes }

// end takes what was appended to bytes as the next credit's certificate.
func (c *creditChunk) end() { c.ends = append(c.ends, len(c.bytes)) }

func (c *creditChunk) certificate(number uint64) (cert []byte, ok bool) {
	if number < c.first || number >= c.next() {
		return nil, false
	}
	i, start := int(number-c.first), 0
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.bytes[start:c.ends[i]], true
}
