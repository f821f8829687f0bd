package committee

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// believe takes the first byte of a signature for its verdict.
func believe(_ *crypto.PublicKey, _ []byte, sig *crypto.Signature) bool { return sig[0] == 1 }

// manyMembers are n members, each on a host of its own.
func manyMembers(n int) []Member {
	members := make([]Member, n)
	for i := range members {
		members[i] = member(testKey(i).Public(), 9000)
		members[i].Host = fmt.Sprintf("host-%d", i)
	}
	return members
}

// TestSimulatedCommittee: all checks of signatures are by the rule of the world.
func TestSimulatedCommittee(t *testing.T) {
	c, err := NewSimulated(testMembers(4), believe)
	if err != nil {
		t.Fatal(err)
	}
	name := c.Member(0).Name
	if !c.Verify(&name, nil, &crypto.Signature{1}) || c.Verify(&name, nil, &crypto.Signature{2}) {
		t.Error("Verify goes by another rule")
	}
	o := func(sig byte) codec.Order { return codec.NewOrder(&codec.Transfer{Amount: 1}, &crypto.Signature{sig}) }
	if c.CheckOrder(o(1)) != nil || c.CheckOrder(o(2)) == nil {
		t.Error("CheckOrder goes by another rule")
	}
	if _, err := NewSimulated(nil, believe); !errors.Is(err, ErrEmpty) {
		t.Errorf("no members: %v", err)
	}
}

// TestLargestCommittee: as many members as there may be, each of whom is told from all others where votes are counted,
// by certificates and by an aggregator.
func TestLargestCommittee(t *testing.T) {
	members := manyMembers(MaxMembers)
	c, err := NewSimulated(members, believe)
	if err != nil {
		t.Fatal(err)
	}
	o := codec.NewOrder(&codec.Transfer{Amount: 1}, &crypto.Signature{1})
	votes := make([]codec.VoteEntry, MaxMembers)
	for i := range votes {
		votes[i] = codec.VoteEntry{Authority: members[i].Name, Signature: crypto.Signature{1}}
	}
	if err := c.CheckCertificate(codec.NewCertificate(o, votes)); err != nil {
		t.Errorf("a certificate of all: %v", err)
	}
	again := make([]codec.VoteEntry, MaxMembers+1)
	copy(again, votes)
	a, refusal := NewAggregator(c, o)
	if refusal != nil {
		t.Fatal(refusal)
	}
	for i := range members {
		again[MaxMembers] = votes[i]
		if err := c.CheckShape(codec.NewCertificate(o, again)); err == nil || err.Code != codec.CertificateAuthorityReuse {
			t.Errorf("member %d twice: %v", i, err)
		}
		cert, err := a.Append(&members[i].Name, &votes[i].Signature)
		if err != nil || cert.IsZero() != (uint64(i+1) < c.Quorum()) || a.Weight() != uint64(i+1) {
			t.Fatalf("member %d votes: %v, weight %d, certificate %v", i, err, a.Weight(), !cert.IsZero())
		}
		if _, err := a.Append(&members[i].Name, &votes[i].Signature); err == nil || err.Code != codec.CertificateAuthorityReuse {
			t.Errorf("member %d votes twice: %v", i, err)
		}
	}
	if _, err := New(manyMembers(MaxMembers + 1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	file := ""
	for _, m := range manyMembers(MaxMembers + 1) {
		file += mustLine(t, m) + "\n"
	}
	if _, err := Parse([]byte(file)); !errors.Is(err, ErrTooMany) || !strings.Contains(err.Error(), "line 1025: ") ||
		!strings.Contains(err.Error(), "more than 1024") {
		t.Errorf("a file of one more: %v", err)
	}
}

func mustLine(t *testing.T, m Member) string {
	t.Helper()
	text, err := m.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPortsThatTouch: ranges of ports of one host may touch, in any order, and on other hosts they may be the same.
func TestPortsThatTouch(t *testing.T) {
	f := func(name string, want error, change func(m []Member)) {
		t.Helper()
		m := testMembers(2)
		change(m)
		for range 2 {
			if _, err := New(m); !errors.Is(err, want) {
				t.Errorf("%s: %v, expected %v", name, err, want)
			}
			m[0], m[1] = m[1], m[0]
		}
	}
	f("touching", nil, func(m []Member) { m[1].BasePort = m[0].BasePort + m[0].NumShards })
	f("a port in common", ErrOverlap, func(m []Member) { m[1].BasePort = m[0].BasePort + m[0].NumShards - 1 })
	f("other hosts", nil, func(m []Member) { m[1].Host, m[1].BasePort = "other", m[0].BasePort })
	f("other hosts, a port in common", nil, func(m []Member) { m[1].Host, m[1].BasePort = "other", m[0].BasePort+1 })
	hosts := func(m []Member) { m[0].Hosts = []string{"a", "b", "c", m[1].Host} }
	f("touching, with hosts", nil, func(m []Member) { hosts(m); m[1].BasePort = m[0].BasePort + m[0].NumShards })
	f("the last port in common, with hosts", ErrRepeatedPort, func(m []Member) { hosts(m); m[1].BasePort = m[0].BasePort + 3 })
	f("not the port that is in common, with hosts", nil, func(m []Member) { hosts(m); m[1].BasePort, m[1].NumShards = m[0].BasePort+2, 1 })
	f("the first port", nil, func(m []Member) { m[0].BasePort = 1 })
	f("the last port", nil, func(m []Member) { m[0].BasePort, m[0].NumShards = MaxPort, 1 })
}

// TestErrorsNameTheMember counts from 1, and names none where all are meant.
func TestErrorsNameTheMember(t *testing.T) {
	for i := range 3 {
		m := testMembers(3)
		m[i].Weight = 0
		if _, err := New(m); err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("member %d: ", i+1)) {
			t.Errorf("member %d: %v", i+1, err)
		}
	}
	if _, err := New(nil); err == nil || strings.Contains(err.Error(), "member 0") {
		t.Errorf("no members: %v", err)
	}
}

// TestMembersAreEqualInAllFields: one that differs in any is another.
func TestMembersAreEqualInAllFields(t *testing.T) {
	base := func() Member {
		m := member(testKey(0).Public(), 9000)
		m.Hosts = []string{"a", "b", "c", "d"}
		return m
	}
	m := base()
	for name, change := range map[string]func(o *Member){
		"name":     func(o *Member) { o.Name[0] ^= 1 },
		"weight":   func(o *Member) { o.Weight++ },
		"protocol": func(o *Member) { o.Protocol = UDP },
		"host":     func(o *Member) { o.Host += "x" },
		"port":     func(o *Member) { o.BasePort++ },
		"shards":   func(o *Member) { o.NumShards++ },
		"hosts":    func(o *Member) { o.Hosts[1] = "x" },
		"no hosts": func(o *Member) { o.Hosts = nil },
	} {
		o := base()
		if !m.Equal(&o) {
			t.Fatal("a member does not equal itself")
		}
		if change(&o); m.Equal(&o) || o.Equal(&m) {
			t.Errorf("another %s is not seen", name)
		}
	}
}

// TestUnreadableAddress is refused for what it is, and not for the key that it would be.
func TestUnreadableAddress(t *testing.T) {
	m := member(testKey(0).Public(), 9000)
	text := strings.Replace(mustLine(t, m), codec.FormatAddress(&m.Name), "AAAA", 1)
	if _, err := Parse([]byte(text)); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), "expected 44") {
		t.Errorf("%v", err)
	}
}

// TestLargeNumbersInFiles: weights and shards of several digits come back.
func TestLargeNumbersInFiles(t *testing.T) {
	m := member(testKey(0).Public(), 12345)
	m.NumShards, m.Weight = 4321, 9876543210
	c, err := Parse([]byte(mustLine(t, m)))
	if err != nil || !c.Member(0).Equal(&m) {
		t.Errorf("%v: %+v, expected %+v", err, c.Member(0), m)
	}
}
