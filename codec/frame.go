package codec

import (
	"encoding/binary"
	"errors"
	"math"
)

// FrameHeaderSize is the u32 length, little-endian, before each message on a TCP connection.
const FrameHeaderSize = 4

// DefaultMaxMessage is the largest message in bytes unless configured otherwise: what a UDP datagram carries over IPv4.
const DefaultMaxMessage = 65507

// ErrFrameTooLarge is a frame whose length exceeds the limit. It ends the connection: its end can't be found otherwise.
var ErrFrameTooLarge = errors.New("codec: frame exceeds the largest message allowed")

// FrameSize is the length of the frame that b begins, header included, or 0 while the header is not complete.
func FrameSize(b []byte, maxMessage int) (int, error) {
	if len(b) < FrameHeaderSize {
		return 0, nil
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > int64(maxMessage) {
		return 0, ErrFrameTooLarge
	}
	return FrameHeaderSize + int(n), nil
}

// TakeFrame splits the first frame off b. A frame that is not complete yet gives ok = false, and rest = b; its length is
// judged as soon as its header is there. The message is a view into b that an append can't grow into the next frame; an
// empty one is possible. maxMessage is in bytes, without the header.
func TakeFrame(b []byte, maxMessage int) (message, rest []byte, ok bool, err error) {
	end, err := FrameSize(b, maxMessage)
	if err != nil || end == 0 || len(b) < end {
		return nil, b, false, err
	}
	return b[FrameHeaderSize:end:end], b[end:], true, nil
}

// BeginFrame appends room for a frame's header. The message is appended next, then EndFrame called with the length that
// dst had before BeginFrame.
func BeginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// EndFrame fills in the header of the frame that begins at start and ends with dst. It panics if the message is too long
// for any frame, 4 GiB; limits are the caller's.
func EndFrame(dst []byte, start int) {
	n := len(dst) - start - FrameHeaderSize
	if n < 0 || int64(n) > math.MaxUint32 {
		panic("codec: EndFrame: no frame of this length")
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(n))
}
