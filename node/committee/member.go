package committee

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"fastpay/codec"
	"fastpay/crypto"
)

// Protocol is what clients use to talk to an authority.
type Protocol int

// The two protocols, in files "Udp" and "Tcp".
const (
	UDP Protocol = iota
	TCP
)

// String is the name as files have it.
func (p Protocol) String() string {
	if p == TCP {
		return "Tcp"
	}
	return "Udp"
}

// ParseProtocol reads a name in any case.
func ParseProtocol(s string) (Protocol, error) {
	switch strings.ToLower(s) {
	case "udp":
		return UDP, nil
	case "tcp":
		return TCP, nil
	}
	return 0, fmt.Errorf("%w: %q, expected Udp or Tcp", ErrProtocol, s)
}

// MaxPort is the largest port number.
const MaxPort = 1<<16 - 1

// Member is one authority: its name (public key), weight, and where its shards listen. Shard k has port BasePort + k.
type Member struct {
	Name      codec.Address
	Weight    uint64
	Protocol  Protocol
	Host      string
	Hosts     []string // of each shard, when they are not all on Host; else nil
	BasePort  int
	NumShards int
}

// ShardHost is the host of a shard, 0 <= shard < NumShards.
func (m *Member) ShardHost(shard int) string {
	if m.Hosts != nil {
		return m.Hosts[shard]
	}
	return m.Host
}

// Equal reports whether m and o are the same in all fields.
func (m *Member) Equal(o *Member) bool {
	return m.Name == o.Name && m.Weight == o.Weight && m.Protocol == o.Protocol && m.Host == o.Host &&
		slices.Equal(m.Hosts, o.Hosts) && m.BasePort == o.BasePort && m.NumShards == o.NumShards
}

// check refuses what makes a member unusable by itself.
func (m *Member) check() error {
	if err := crypto.CheckKey(&m.Name); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKey, codec.FormatAddress(&m.Name), err)
	}
	if m.Weight == 0 {
		return fmt.Errorf("%w: 0, expected 1 or more", ErrWeight)
	}
	if err := CheckHost(m.Host); err != nil {
		return err
	}
	if m.NumShards < 1 {
		return fmt.Errorf("%w: %d, expected 1 or more", ErrShards, m.NumShards)
	}
	if m.BasePort < 1 || m.BasePort > MaxPort {
		return fmt.Errorf("%w: %d, expected 1 to %d", ErrPort, m.BasePort, MaxPort)
	}
	if m.NumShards-1 > MaxPort-m.BasePort {
		return fmt.Errorf("%w: %d shards from port %d go beyond %d", ErrPort, m.NumShards, m.BasePort, MaxPort)
	}
	if m.Hosts != nil && len(m.Hosts) != m.NumShards {
		return fmt.Errorf("%w: %d hosts for %d shards", ErrHost, len(m.Hosts), m.NumShards)
	}
	for i, host := range m.Hosts {
		if err := CheckHost(host); err != nil {
			return fmt.Errorf("%w, of shard %d", err, i)
		}
	}
	return nil
}

// CheckHost refuses what can be no host: an empty text, and one with blanks.
func CheckHost(host string) error {
	if host == "" || strings.ContainsAny(host, " \t\r\n") {
		return fmt.Errorf("%w: %q", ErrHost, host)
	}
	return nil
}

// MarshalJSON writes the member as the prototype writes a line of the committee file; the weight follows when it is not
// 1, and the hosts when there are some.
func (m Member) MarshalJSON() ([]byte, error) {
	host, err := json.Marshal(m.Host)
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"network_protocol":"`), m.Protocol.String()...)
	b = append(append(b, `","address":"`...), codec.FormatAddress(&m.Name)...)
	b = append(append(b, `","host":`...), host...)
	b = strconv.AppendInt(append(b, `,"base_port":`...), int64(m.BasePort), 10)
	b = strconv.AppendInt(append(b, `,"num_shards":`...), int64(m.NumShards), 10)
	if m.Weight != 1 {
		b = strconv.AppendUint(append(b, `,"weight":`...), m.Weight, 10)
	}
	if m.Hosts != nil {
		hosts, err := json.Marshal(m.Hosts)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"hosts":`...), hosts...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads a member. Every field but the weight and the hosts must be there, and no other: a mistyped "weight"
// would silently count as 1.
func (m *Member) UnmarshalJSON(text []byte) error {
	var raw struct {
		Protocol  *string  `json:"network_protocol"`
		Address   *string  `json:"address"`
		Host      *string  `json:"host"`
		BasePort  *int     `json:"base_port"`
		NumShards *int     `json:"num_shards"`
		Weight    *uint64  `json:"weight"`
		Hosts     []string `json:"hosts"`
	}
	if err := decodeStrict(text, &raw); err != nil {
		return err
	}
	switch {
	case raw.Protocol == nil:
		return missing("network_protocol")
	case raw.Address == nil:
		return missing("address")
	case raw.Host == nil:
		return missing("host")
	case raw.BasePort == nil:
		return missing("base_port")
	case raw.NumShards == nil:
		return missing("num_shards")
	}
	protocol, err := ParseProtocol(*raw.Protocol)
	if err != nil {
		return err
	}
	name, err := codec.ParseAddress(*raw.Address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	*m = Member{Name: name, Weight: 1, Protocol: protocol, Host: *raw.Host, Hosts: raw.Hosts, BasePort: *raw.BasePort,
		NumShards: *raw.NumShards}
	if raw.Weight != nil {
		m.Weight = *raw.Weight
	}
	return nil
}

func missing(field string) error { return fmt.Errorf("%w: no field %q", ErrSyntax, field) }

// decodeStrict reads exactly one JSON value without unknown fields into v.
func decodeStrict(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return syntaxError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the closing brace", ErrSyntax)
	}
	return nil
}

// syntaxError puts the decoder's error in the words of the file.
func syntaxError(err error) error {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.Is(err, ErrSyntax): // from a member inside
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return fmt.Errorf("%w: expected an object in braces, not %s", ErrSyntax, wrongType.Value)
	case wrongType != nil:
		return fmt.Errorf("%w: field %q is %s, expected %v", ErrSyntax, wrongType.Field, wrongType.Value, wrongType.Type)
	}
	return fmt.Errorf("%w: %s", ErrSyntax, strings.TrimPrefix(err.Error(), "json: "))
}
