package node

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"fastpay/codec"
	"fastpay/node/link"
)

// linkReader takes the messages of a link apart.
type linkReader struct {
	in      *bufio.Reader
	buf     []byte
	most    int // bytes of a message
	message link.Message
}

func newLinkReader(r io.Reader, most int) *linkReader {
	return &linkReader{in: bufio.NewReaderSize(r, linkReadBytes), most: most}
}

// linkReadBytes is what one read takes from a link: some hundred credits.
const linkReadBytes = 64 << 10

// read reads one message. It is valid until the next call.
func (r *linkReader) read() (*link.Message, error) {
	var header [codec.FrameHeaderSize]byte
	if _, err := io.ReadFull(r.in, header[:]); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(header[:]))
	if n > int64(r.most) {
		return nil, fmt.Errorf("node: message of %d bytes on a link, at most %d", n, r.most)
	}
	r.buf = slices.Grow(r.buf[:0], int(n))[:n]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return nil, err
	}
	return &r.message, r.message.Decode(r.buf)
}

// buffered reports whether more has arrived than was read.
func (r *linkReader) buffered() bool { return r.in.Buffered() > 0 }
