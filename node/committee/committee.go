package committee

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"fastpay/codec"
	"fastpay/crypto"
)

// MaxMembers bounds a committee: CheckShape keeps one bit a member on the stack, and at most 676 votes fit in a message
// of the default size. The paper stops at 100.
const MaxMembers = 1024

// Committee is the fixed set of authorities. It is read-only and may be shared by goroutines.
type Committee struct {
	members  []Member
	slots    []uint16 // open addressing on the name: member index + 1, 0 empty; a power of two, at most half full
	total    uint64
	quorum   uint64
	validity uint64
	verify   Verify

	keysOnce sync.Once
	keys     *crypto.KeySet
	keysErr  error
}

// Errors of New and Parse, wrapped with what was found and where.
var (
	ErrEmpty        = errors.New("committee: no members")
	ErrTooMany      = errors.New("committee: too many members")
	ErrKey          = errors.New("committee: unusable key")
	ErrRepeatedKey  = errors.New("committee: repeated key")
	ErrRepeatedPort = errors.New("committee: repeated host and port")
	ErrOverlap      = errors.New("committee: overlapping port ranges")
	ErrWeight       = errors.New("committee: bad weight")
	ErrPort         = errors.New("committee: bad port")
	ErrShards       = errors.New("committee: bad number of shards")
	ErrHost         = errors.New("committee: bad host")
	ErrProtocol     = errors.New("committee: bad network protocol")
	ErrSyntax       = errors.New("committee: bad entry")
)

// twiceHint is what a repeated line mostly means: the command that appends to the file was run again.
const twiceHint = " (was the file appended to twice?)"

// Verify reports whether sig is key's signature of message. It is crypto.Verify everywhere but in simulated worlds, which
// may take a cheaper scheme, whose signatures nobody outside of them takes.
type Verify func(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool

// New checks members, in order, and makes a committee of a copy. Refused are: no members or more than MaxMembers; a key
// that does not decode, is not canonical, is of small order, or repeats; weight 0, or a total beyond 64 bits; an empty
// host; no shards; a port outside 1..65535; two members of one host whose ports repeat or overlap.
func New(members []Member) (*Committee, error) {
	c, at, err := build(members)
	if err != nil && at >= 0 {
		return nil, fmt.Errorf("member %d: %w", at+1, err)
	}
	return c, err
}

// NewSimulated is New for a simulated world: signatures are checked by verify.
func NewSimulated(members []Member, verify Verify) (*Committee, error) {
	c, err := New(members)
	if err != nil {
		return nil, err
	}
	c.verify = verify
	return c, nil
}

// Verify checks one signature by the committee's rule.
func (c *Committee) Verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	return c.verify(key, message, sig)
}

// build does the work of New; at is the index of the member that is refused, -1 when it is no single one.
func build(members []Member) (c *Committee, at int, err error) {
	if len(members) == 0 {
		return nil, -1, ErrEmpty
	}
	if len(members) > MaxMembers {
		return nil, MaxMembers, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(members), MaxMembers)
	}
	c = &Committee{
		members: append([]Member(nil), members...),
		slots:   make([]uint16, 1<<bits.Len(uint(2*len(members)))),
		verify:  crypto.Verify,
	}
	for i := range c.members {
		if err := c.admit(i); err != nil {
			return nil, i, err
		}
	}
	c.quorum, c.validity = quorumOf(c.total), validityOf(c.total)
	return c, -1, nil
}

// admit checks member i alone and against those before it, and enters it.
func (c *Committee) admit(i int) error {
	m := &c.members[i]
	if err := m.check(); err != nil {
		return err
	}
	if _, repeated := c.Index(&m.Name); repeated {
		return fmt.Errorf("%w: %s%s", ErrRepeatedKey, codec.FormatAddress(&m.Name), twiceHint)
	}
	for j := range c.members[:i] {
		if err := m.collides(&c.members[j]); err != nil {
			return err
		}
	}
	total, carry := bits.Add64(c.total, m.Weight, 0)
	if carry != 0 {
		return fmt.Errorf("%w: total weight does not fit in 64 bits", ErrWeight)
	}
	c.total = total
	s := c.home(&m.Name)
	for c.slots[s] != 0 {
		s = (s + 1) & (len(c.slots) - 1)
	}
	c.slots[s] = uint16(i + 1)
	return nil
}

// home is where the search for name begins. The names in the table are the committee's own, so nobody outside can make
// its chains long; a foreign name costs at most the longest chain.
func (c *Committee) home(name *codec.Address) int {
	return int(binary.LittleEndian.Uint64(name[:]) & uint64(len(c.slots)-1))
}

// Index finds a member by name.
func (c *Committee) Index(name *codec.Address) (i int, ok bool) {
	for s := c.home(name); c.slots[s] != 0; s = (s + 1) & (len(c.slots) - 1) {
		if i := int(c.slots[s]) - 1; c.members[i].Name == *name {
			return i, true
		}
	}
	return -1, false
}

// Len is the number of members.
func (c *Committee) Len() int { return len(c.members) }

// Member is member i, 0 <= i < Len. It must not be changed.
func (c *Committee) Member(i int) *Member { return &c.members[i] }

// TotalWeight is the sum W of all weights.
func (c *Committee) TotalWeight() uint64 { return c.total }

// Quorum is the weight that makes a certificate: floor(2W/3) + 1.
func (c *Committee) Quorum() uint64 { return c.quorum }

// Validity is the weight that surely holds an honest authority: floor((W+2)/3).
func (c *Committee) Validity() uint64 { return c.validity }

// Keys is the members' keys in their order, expanded for fast checks. It is made on the first call, and shared.
func (c *Committee) Keys() (*crypto.KeySet, error) {
	c.keysOnce.Do(func() {
		names := make([]crypto.PublicKey, len(c.members))
		for i := range names {
			names[i] = c.members[i].Name
		}
		c.keys, c.keysErr = crypto.NewKeySet(names)
	})
	return c.keys, c.keysErr
}

// collides tells how the ports of m and o clash, if they do. Host names are compared as they are spelled, but for case:
// what they resolve to is not known here.
func (m *Member) collides(o *Member) error {
	if m.Hosts != nil || o.Hosts != nil {
		return m.shardsCollide(o)
	}
	if !strings.EqualFold(m.Host, o.Host) {
		return nil
	}
	if m.BasePort == o.BasePort {
		return fmt.Errorf("%w: %s:%d%s", ErrRepeatedPort, m.Host, m.BasePort, twiceHint)
	}
	if m.BasePort < o.BasePort+o.NumShards && o.BasePort < m.BasePort+m.NumShards {
		return fmt.Errorf("%w: %s ports %d-%d and %d-%d", ErrOverlap, m.Host,
			o.BasePort, o.BasePort+o.NumShards-1, m.BasePort, m.BasePort+m.NumShards-1)
	}
	return nil
}

// shardsCollide is collides when shards have hosts of their own: two must not share a port of one host.
func (m *Member) shardsCollide(o *Member) error {
	first, last := max(m.BasePort, o.BasePort), min(m.BasePort+m.NumShards, o.BasePort+o.NumShards)
	for port := first; port < last; port++ {
		if host := m.ShardHost(port - m.BasePort); strings.EqualFold(host, o.ShardHost(port-o.BasePort)) {
			return fmt.Errorf("%w: %s:%d%s", ErrRepeatedPort, host, port, twiceHint)
		}
	}
	return nil
}
