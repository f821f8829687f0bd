package committee

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// testKey is the i-th of an endless row of keys.
func testKey(i int) *crypto.PrivateKey {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(i)+1)
	return crypto.NewPrivateKey(&seed)
}

// testMembers are n members that New accepts, with ports 9000 to 9003, 9010 to 9013 and so on.
func testMembers(n int) []Member {
	members := make([]Member, n)
	for i := range members {
		members[i] = member(testKey(i).Public(), 9000+10*i)
	}
	return members
}

func TestNewRefuses(t *testing.T) {
	f := func(name string, want error, hint string, change func(members []Member) []Member) {
		t.Helper()
		_, err := New(change(testMembers(4)))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: error %v, expected %v with %q", name, err, want, hint)
		}
	}
	third := func(change func(m *Member)) func([]Member) []Member {
		return func(members []Member) []Member { change(&members[2]); return members }
	}
	f("none", ErrEmpty, "", func([]Member) []Member { return nil })
	f("too many", ErrTooMany, "1025", func([]Member) []Member { return make([]Member, MaxMembers+1) })
	f("undecodable key", ErrKey, "member 3", third(func(m *Member) { m.Name = codec.Address(bytes.Repeat([]byte{2}, 32)) }))
	f("non-canonical key", ErrKey, "member 3", third(func(m *Member) {
		m.Name = codec.Address{0xee, 31: 0x7f} // p + 1 for the identity
		for i := 1; i < 31; i++ {
			m.Name[i] = 0xff
		}
	}))
	f("small order", ErrKey, "member 3", third(func(m *Member) { m.Name = codec.Address{1} }))
	f("repeated key", ErrRepeatedKey, "appended to twice", third(func(m *Member) { m.Name = testKey(0).Public() }))
	f("repeated port", ErrRepeatedPort, "appended to twice", third(func(m *Member) { m.BasePort = 9000 }))
	f("repeated port, other case", ErrRepeatedPort, "127.0.0.1", func(members []Member) []Member {
		members[0].Host, members[1].Host, members[1].BasePort = "Host", "hOST", members[0].BasePort
		members[2].Host, members[2].BasePort = "127.0.0.1", members[3].BasePort
		members[1].BasePort++
		members[1].NumShards, members[0].NumShards = 1, 1
		return members
	})
	f("overlap from below", ErrOverlap, "9010-9013 and 9007-9010", third(func(m *Member) { m.BasePort = 9007 }))
	f("overlap from above", ErrOverlap, "9000-9003 and 9003-9006", third(func(m *Member) { m.BasePort = 9003 }))
	f("weight 0", ErrWeight, "member 3", third(func(m *Member) { m.Weight = 0 }))
	f("total weight", ErrWeight, "64 bits", third(func(m *Member) { m.Weight = math.MaxUint64 - 1 }))
	f("no host", ErrHost, "member 3", third(func(m *Member) { m.Host = "" }))
	f("host with a blank", ErrHost, "member 3", third(func(m *Member) { m.Host = "a b" }))
	f("fewer hosts than shards", ErrHost, "3 hosts for 4 shards", third(func(m *Member) { m.Hosts = []string{"a", "b", "c"} }))
	f("hosts, and none in it", ErrHost, "0 hosts", third(func(m *Member) { m.Hosts = []string{} }))
	f("an empty host among hosts", ErrHost, "of shard 2", third(func(m *Member) { m.Hosts = []string{"a", "b", "", "d"} }))
	f("one host and port, of several hosts", ErrRepeatedPort, "x:9011", func(members []Member) []Member {
		members[1].Hosts = []string{"a", "X", "b", "c"} // 9010 to 9013
		members[2].Hosts, members[2].BasePort = []string{"x", "d", "e", "f"}, 9011
		return members
	})
	f("one host and port, hosts and host", ErrRepeatedPort, "127.0.0.1:9013", func(members []Member) []Member {
		members[1].Hosts = []string{"a", "b", "c", "127.0.0.1"}
		members[2].BasePort = 9012
		return members
	})
	f("no shards", ErrShards, "0", third(func(m *Member) { m.NumShards = 0 }))
	f("negative shards", ErrShards, "-1", third(func(m *Member) { m.NumShards = -1 }))
	f("port 0", ErrPort, "1 to 65535", third(func(m *Member) { m.BasePort = 0 }))
	f("port beyond", ErrPort, "65536", third(func(m *Member) { m.BasePort = 65536 }))
	f("last port beyond", ErrPort, "beyond 65535", third(func(m *Member) { m.BasePort = 65533 }))
	f("shards beyond any int", ErrPort, "beyond", third(func(m *Member) { m.NumShards = math.MaxInt }))
}

func TestNewAcceptsLimits(t *testing.T) {
	members := testMembers(4)
	members[0].BasePort = MaxPort - 3                        // its last port is the last there is
	members[1].Host, members[1].BasePort = "elsewhere", 9020 // the ports of member 2, another host
	members[3].BasePort = members[2].BasePort + 4            // ranges that touch
	members[0].Weight = math.MaxUint64 - 3                   // the total is the largest
	members[1].Hosts = []string{"a", "b", "c", "d"}
	members[2].Hosts, members[2].BasePort = []string{"d", "a", "b", "c"}, members[1].BasePort // same ports, other hosts
	members[3].BasePort = members[2].BasePort
	c, err := New(members)
	if err != nil {
		t.Fatal(err)
	}
	if c.TotalWeight() != math.MaxUint64 {
		t.Errorf("weight %d", c.TotalWeight())
	}
	members[0].Weight = 7
	if c.Member(0).Weight == 7 {
		t.Error("the caller's members are not copied")
	}
}

func TestParseRefuses(t *testing.T) {
	line := func(m Member) string {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	members := testMembers(3)
	good := line(members[0])
	f := func(file string, want error, hints ...string) {
		t.Helper()
		_, err := Parse([]byte(file))
		if !errors.Is(err, want) {
			t.Errorf("%q: error %v, expected %v", file, err, want)
			return
		}
		for _, hint := range hints {
			if !strings.Contains(err.Error(), hint) {
				t.Errorf("%q: error %v does not say %q", file, err, hint)
			}
		}
	}
	f("", ErrEmpty)
	f("\n \n", ErrEmpty)
	f(good+"\n\n"+good, ErrRepeatedKey, "line 3")
	other := members[1]
	other.BasePort = members[0].BasePort
	f(good+"\n"+line(other)+"\n", ErrRepeatedPort, "line 2", "127.0.0.1:9000", "was the file appended to twice?")
	f(good+"\n{\"network_protocol\":\"Tcp\"", ErrSyntax, "line 2", "too early")
	f(good+"\nhello", ErrSyntax, "line 2")
	f("[]", ErrSyntax, "line 1", "braces")
	f(good+good, ErrSyntax, "line 1", "follows")
	f(strings.Replace(good, `}`, `,"wieght":2}`, 1), ErrSyntax, "line 1", "wieght")
	f(strings.Replace(good, `9000`, `"9000"`, 1), ErrSyntax, "base_port")
	f(strings.Replace(good, `9000`, `9000.5`, 1), ErrSyntax, "base_port")
	f(strings.Replace(good, `}`, `,"weight":-1}`, 1), ErrSyntax, "weight")
	f(strings.Replace(good, `}`, `,"weight":0}`, 1), ErrWeight, "line 1")
	f(strings.Replace(good, `}`, `,"hosts":["a"]}`, 1), ErrHost, "line 1", "1 hosts for 4 shards")
	f(strings.Replace(good, `}`, `,"hosts":["a","b",null,"d"]}`, 1), ErrHost, "of shard 2")
	f(strings.Replace(good, `}`, `,"hosts":"a"}`, 1), ErrSyntax, "hosts")
	f(strings.Replace(good, `"Tcp"`, `"Quic"`, 1), ErrProtocol, "Quic")
	f(strings.Replace(good, codec.FormatAddress(&members[0].Name), "AAAA", 1), ErrKey, "line 1")
	for _, field := range []string{"network_protocol", "address", "host", "base_port", "num_shards"} {
		var m map[string]any
		if err := json.Unmarshal([]byte(good), &m); err != nil {
			t.Fatal(err)
		}
		delete(m, field)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		f(string(text), ErrSyntax, field, "line 1")
	}
	var many strings.Builder
	for i := range MaxMembers + 1 {
		m := members[0]
		m.BasePort = i + 1
		many.WriteString(line(m) + "\n")
	}
	f(many.String(), ErrTooMany, "line 1025")
}

func TestParseAccepts(t *testing.T) {
	members := testMembers(2)
	members[1].Weight = 5
	members[1].Protocol = UDP
	members[0].Hosts = []string{"10.0.0.1", "10.0.0.2", "10.0.0.1", "::1"}
	var file []byte
	for _, m := range members {
		line, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		file = append(append(file, line...), "\r\n\r\n"...)
	}
	if !strings.Contains(string(file), `,"num_shards":4,"weight":5}`) {
		t.Errorf("weight not written: %s", file)
	}
	c, err := Parse([]byte(strings.Replace(string(file), `"Udp"`, `"uDP"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if c.Len() != 2 || !c.Member(0).Equal(&members[0]) || !c.Member(1).Equal(&members[1]) || c.TotalWeight() != 6 {
		t.Errorf("read %+v, expected %+v", c.members, members)
	}
}

func TestServerFileRefuses(t *testing.T) {
	key := testKey(0)
	good, err := AppendServer([]byte(nil), &Server{member(key.Public(), 9000), key})
	if err != nil {
		t.Fatal(err)
	}
	other, err := AppendServer(nil, &Server{member(key.Public(), 9000), testKey(1)})
	if err != nil {
		t.Fatal(err)
	}
	f := func(file, hint string) {
		t.Helper()
		if _, err := ParseServer([]byte(file)); !errors.Is(err, ErrServerFile) || !strings.Contains(err.Error(), hint) {
			t.Errorf("error %v, expected %q in:\n%s", err, hint, file)
		}
	}
	text := string(good)
	i := strings.Index(text, `"key": "`) + len(`"key": "`)
	f("", "too early")
	f("[]", "braces")
	f(`{"authority": {}, "key": ""}`, "network_protocol")
	f(`{"authority": {"base_port": "1"}, "key": ""}`, "base_port")
	f(text+"x", "follows")
	f(`{"key": "AAAA"}`, "authority")
	f(strings.Replace(text, `"key"`, `"kex"`, 1), "kex")
	f(strings.Replace(text, `9000`, `0`, 1), "port")
	f(strings.Replace(text, `"Tcp"`, `"Tpc"`, 1), "Tpc")
	f(text[:i]+"?"+text[i+1:], "64 bytes in base64")
	f(text[:i]+text[i+4:], "64 bytes in base64")
	f(text[:i]+`\n`+text[i:], "64 bytes in base64")
	f(text[:i]+"AAAA"+text[i+4:], "halves")
	f(string(other), "the key belongs to")
	if _, err := ParseServer(good); err != nil {
		t.Error(err)
	}
}

func TestProtocolNames(t *testing.T) {
	for name, want := range map[string]Protocol{"Udp": UDP, "udp": UDP, "TCP": TCP} {
		if p, err := ParseProtocol(name); err != nil || p != want || !strings.EqualFold(p.String(), name) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestIndexFindsMembersAlone(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 8, 100} {
		c, err := New(testMembers(n))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if m, ok := c.Index(&c.Member(i).Name); !ok || m != i {
				t.Errorf("member %d of %d found as %d, %v", i, n, m, ok)
			}
			// A stranger who shares the bytes that choose the place.
			stranger := c.Member(i).Name
			stranger[31] ^= 1
			if _, ok := c.Index(&stranger); ok {
				t.Errorf("a stranger is found among %d", n)
			}
		}
	}
}

func TestKeysAreTheMembers(t *testing.T) {
	c, err := New(testMembers(4))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.Keys()
	if err != nil || keys.Len() != 4 {
		t.Fatalf("%v keys, %v", keys, err)
	}
	if again, _ := c.Keys(); again != keys {
		t.Error("the keys are expanded twice")
	}
	v := crypto.NewVerifier(keys)
	var sig crypto.Signature
	testKey(2).Sign(&sig, []byte("m"))
	i := v.AddVote(2, []byte("m"), &sig)
	if j := v.AddVote(1, []byte("m"), &sig); v.Verify() || !v.Valid(i) || v.Valid(j) {
		t.Error("the order of the keys is not that of the members")
	}
}

// An aggregator remembers strangers, but not more of them than there are members.
func TestAggregatorForgetsStrangers(t *testing.T) {
	c, err := New(testMembers(1))
	if err != nil {
		t.Fatal(err)
	}
	owner := testKey(10)
	transfer := codec.Transfer{Sender: owner.Public(), Amount: 1}
	message := transfer.AppendSignedBytes(nil)
	var sig crypto.Signature
	owner.Sign(&sig, message)
	a, refusal := NewAggregator(c, codec.NewOrder(&transfer, &sig))
	if refusal != nil {
		t.Fatal(refusal)
	}
	f := func(key int, want codec.ErrorCode) {
		t.Helper()
		name := testKey(key).Public()
		testKey(key).Sign(&sig, message)
		if _, err := a.Append(&name, &sig); err == nil || err.Code != want {
			t.Errorf("key %d: %v, expected %v", key, err, want)
		}
	}
	f(5, codec.UnknownSigner)
	f(6, codec.UnknownSigner)
	f(5, codec.CertificateAuthorityReuse)
	f(6, codec.UnknownSigner)
}

func TestCheckShapeAllocatesNothing(t *testing.T) {
	c, cert := testCertificate(t, 100)
	if err := c.CheckShape(cert); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { c.CheckShape(cert) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// testCertificate has a vote of every one of n members, with empty signatures.
func testCertificate(t testing.TB, n int) (*Committee, codec.Certificate) {
	t.Helper()
	c, err := New(testMembers(n))
	if err != nil {
		t.Fatal(err)
	}
	votes := make([]codec.VoteEntry, n)
	for i := range votes {
		votes[i].Authority = c.Member(i).Name
	}
	return c, codec.NewCertificate(codec.NewOrder(&codec.Transfer{}, &crypto.Signature{}), votes)
}

func BenchmarkCheckShape(b *testing.B) {
	for _, n := range []int{3, 14, 67} {
		b.Run("votes="+big.NewInt(int64(n)).String(), func(b *testing.B) {
			c, cert := testCertificate(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.CheckShape(cert); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
