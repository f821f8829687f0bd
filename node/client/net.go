package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// DefaultTimeout is how long a request may take to be sent, and how long its answer may take to come.
const DefaultTimeout = 4 * time.Second

// A port that refuses is tried again for a while: the authority may have been started a moment ago, and not listen yet.
// Once a quorum is seen to be up, the others have less time.
const (
	startPatience  = 2 * time.Second
	quorumPatience = 500 * time.Millisecond
)

// Network exchanges requests for answers with the authorities, each over the protocol that the committee file gives.
// It is safe for concurrent use. A request to an authority that is down, slow or silent fails by itself within the
// time-outs; it delays no other authority's.
type Network struct {
	committee   *committee.Committee
	sendTimeout time.Duration
	recvTimeout time.Duration
	maxMessage  int

	mu     sync.Mutex
	peers  map[place]*peer
	closed bool

	patience atomic.Int64 // until when refusals may be due to a start, in Unix nanoseconds

	readers         sync.WaitGroup
	buffers         sync.Pool // *[]byte of maxMessage bytes, for datagrams
	retransmissions atomic.Uint64
}

// place is one shard of one authority.
type place struct{ authority, shard int }

// NewNetwork makes a network without connections. Times of 0 are DefaultTimeout, maxMessage 0 is codec.DefaultMaxMessage.
func NewNetwork(c *committee.Committee, sendTimeout, recvTimeout time.Duration, maxMessage int) *Network {
	n := &Network{committee: c, sendTimeout: sendTimeout, recvTimeout: recvTimeout, maxMessage: maxMessage,
		peers: make(map[place]*peer)}
	if n.sendTimeout <= 0 {
		n.sendTimeout = DefaultTimeout
	}
	if n.recvTimeout <= 0 {
		n.recvTimeout = DefaultTimeout
	}
	if n.maxMessage <= 0 {
		n.maxMessage = codec.DefaultMaxMessage
	}
	n.patience.Store(time.Now().Add(startPatience).UnixNano())
	n.buffers.New = func() any { b := make([]byte, n.maxMessage+1); return &b }
	return n
}

// Exchange sends a message to the shard of account at an authority and returns the answer, in memory of its own. The
// answer is some message; over UDP, one that can be an answer for that account. Messages must be such that repeating
// them does no harm, for over UDP they are repeated. A failure is a ClientIoError, or the error of ctx.
func (n *Network) Exchange(ctx context.Context, authority int, account *codec.Address, message []byte) ([]byte, error) {
	m := n.committee.Member(authority)
	at := place{authority, committee.ShardOf(account, m.NumShards)}
	if len(message) > n.maxMessage {
		return nil, ioError(fmt.Errorf("request of %d bytes, and the largest message is %d", len(message), n.maxMessage))
	}
	var reply []byte
	var err error
	if m.Protocol == committee.TCP {
		reply, err = n.exchangeTCP(ctx, at, message)
	} else {
		reply, err = n.exchangeUDP(ctx, at, account, message)
	}
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, ioError(err)
	}
	return reply, nil
}

// patient reports whether a port that refuses at that time may be about to open.
func (n *Network) patient(at time.Time) bool { return at.UnixNano() < n.patience.Load() }

// quorumUp tells that a quorum of authorities answers.
func (n *Network) quorumUp() {
	limit := time.Now().Add(quorumPatience).UnixNano()
	for {
		until := n.patience.Load()
		if until <= limit || n.patience.CompareAndSwap(until, limit) {
			return
		}
	}
}

// Retransmissions is the number of datagrams that were sent again.
func (n *Network) Retransmissions() uint64 { return n.retransmissions.Load() }

// Close ends all connections, and with them the exchanges under way, and waits for what runs in the background.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	peers := n.peers
	n.peers = nil
	n.mu.Unlock()
	for _, p := range peers {
		p.close()
	}
	n.readers.Wait()
}

// address is host and port of a shard.
func (n *Network) address(at place) string {
	m := n.committee.Member(at.authority)
	return net.JoinHostPort(m.ShardHost(at.shard), strconv.Itoa(m.BasePort+at.shard))
}

// Reasons that the system has no error for.
var (
	errTimeout    = errors.New("timed out waiting for the answer")
	errSend       = errors.New("timed out sending the request")
	errClosed     = errors.New("connection closed by the authority")
	errUnasked    = errors.New("the authority sent an answer without a request")
	errNetworkEnd = errors.New("the client is closing")
	errGivenUp    = errors.New("given up before the answer came")
)

// ioError is what the wire's error set has for trouble on the network. The text does not name the place, so that the same
// trouble at several authorities is the same error; the system's errors are spelled as the prototype's.
func ioError(err error) *codec.Error {
	e := &codec.Error{Code: codec.ClientIoError}
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		text := errno.Error()
		e.Text = fmt.Sprintf("%s%s (os error %d)", strings.ToUpper(text[:1]), text[1:], int(errno))
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		e.Text = errTimeout.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Text = errClosed.Error()
	case errors.Is(err, net.ErrClosed): // by this side, whose caller wants no answer any more
		e.Text = errGivenUp.Error()
	default:
		e.Text = err.Error()
	}
	return e
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
