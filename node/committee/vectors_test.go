package committee

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// The vectors were made by running the prototype; the codec package holds them and says how.
const (
	vectorsFile = "../../codec/testdata/vectors.json"
	configsDir  = "../../codec/testdata/configs/"
)

// A verdict is the prototype's answer to a check.
type verdict struct {
	OK     bool
	Weight uint64
	Error  struct{ Variant string }
}

type vectors struct {
	Keys []struct {
		Public  string `json:"public_hex"`
		Keypair string `json:"keypair_base64"`
	}
	Shards []struct {
		Address   string
		NumShards int `json:"num_shards"`
		Shard     int
	}
	Committee []struct {
		Total    uint64 `json:"total_votes"`
		Quorum   uint64 `json:"quorum_threshold"`
		Validity uint64 `json:"validity_threshold"`
	}
	LowerBound []struct {
		Committee string
		Values    []uint64 `json:"values_by_authority_index"`
		Bound     uint64   `json:"strong_majority_lower_bound"`
	} `json:"strong_majority_lower_bound"`
	CertificateChecks struct {
		Cases []struct {
			Name, Committee string
			Message         string `json:"cert_hex"`
			Result          verdict
		}
	} `json:"certificate_checks"`
	OrderChecks []struct {
		Name    string
		Message string `json:"order_hex"`
		Result  verdict
	} `json:"order_signature_checks"`
	VoteChecks []struct {
		Name    string
		Message string `json:"vote_hex"`
		Result  verdict
	} `json:"vote_checks"`
	Aggregator struct {
		Order   string `json:"order_hex"`
		Appends []struct {
			Name, Authority, Signature string
			Result                     struct {
				Kind        string
				Error       struct{ Variant string }
				Certificate string `json:"cert_hex"`
			}
		}
		BadSender struct{ Variant string } `json:"try_new_with_bad_sender_signature"`
	}
	Configs struct {
		ServerFile string `json:"server_config_file_pretty"`
		LineTCP    string `json:"committee_line_tcp"`
		LineUDP    string `json:"committee_line_udp"`
	}
}

func load(t testing.TB) *vectors {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	v := new(vectors)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v *vectors) address(t testing.TB, s string) codec.Address {
	t.Helper()
	return codec.Address(unhex(t, s))
}

// committee is one of the two committees of the vectors. The prototype admits members of weight 0 and treats them as
// strangers; here such a member is refused, so it is left out, which must give the same verdicts.
func (v *vectors) committee(t testing.TB, name string) *Committee {
	t.Helper()
	weights, ok := map[string][]uint64{"equal(1,1,1,1)": {1, 1, 1, 1}, "weighted(0,1,2,3)": {0, 1, 2, 3}}[name]
	if !ok {
		t.Fatalf("no committee %q", name)
	}
	var members []Member
	for i, w := range weights {
		if w > 0 {
			m := member(v.address(t, v.Keys[i].Public), 9000+100*i)
			m.Weight = w
			members = append(members, m)
		}
	}
	c, err := New(members)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func member(name codec.Address, port int) Member {
	return Member{Name: name, Weight: 1, Protocol: TCP, Host: "127.0.0.1", BasePort: port, NumShards: 4}
}

func decode(t testing.TB, s string) *codec.Message {
	t.Helper()
	m := new(codec.Message)
	if !m.Decode(unhex(t, s)) {
		t.Fatalf("does not decode: %s", s)
	}
	return m
}

// compare fails unless err is the expected rejection.
func compare(t *testing.T, name string, err *codec.Error, want verdict) {
	t.Helper()
	got := "ok"
	if err != nil {
		got = err.Code.String()
	}
	expected := want.Error.Variant
	if want.OK {
		expected = "ok"
	}
	if got != expected {
		t.Errorf("%s: %s, prototype %s", name, got, expected)
	}
}

func TestVectorsShards(t *testing.T) {
	for _, c := range load(t).Shards {
		a := codec.Address(unhex(t, c.Address))
		if got := ShardOf(&a, c.NumShards); got != c.Shard {
			t.Errorf("%s of %d: shard %d, prototype %d", c.Address, c.NumShards, got, c.Shard)
		}
	}
}

func TestVectorsThresholds(t *testing.T) {
	for _, c := range load(t).Committee {
		if q, v := quorumOf(c.Total), validityOf(c.Total); q != c.Quorum || v != c.Validity {
			t.Errorf("weight %d: %d, %d, prototype %d, %d", c.Total, q, v, c.Quorum, c.Validity)
		}
	}
}

func TestVectorsStrongMajorityLowerBound(t *testing.T) {
	v := load(t)
	for _, c := range v.LowerBound {
		committee := v.committee(t, c.Committee)
		values := make(map[int]uint64)
		for i, value := range c.Values {
			name := v.address(t, v.Keys[i].Public)
			if m, ok := committee.Index(&name); ok {
				values[m] = value
			}
		}
		got := committee.StrongMajorityLowerBound(func(yield func(int, uint64) bool) {
			for m, value := range values {
				if !yield(m, value) {
					return
				}
			}
		})
		if got != c.Bound {
			t.Errorf("%s %v: %d, prototype %d", c.Committee, c.Values, got, c.Bound)
		}
	}
}

func TestVectorsCertificateChecks(t *testing.T) {
	v := load(t)
	for _, c := range v.CertificateChecks.Cases {
		err := v.committee(t, c.Committee).CheckCertificate(decode(t, c.Message).Certificate())
		compare(t, c.Name, err, c.Result)
	}
}

// What CheckShape finds is what CheckCertificate finds first, and it accepts all that fails by a signature alone.
func TestVectorsCertificateShapes(t *testing.T) {
	v := load(t)
	for _, c := range v.CertificateChecks.Cases {
		want := c.Result
		if want.Error.Variant == "InvalidSignature" {
			want = verdict{OK: true}
		}
		compare(t, c.Name, v.committee(t, c.Committee).CheckShape(decode(t, c.Message).Certificate()), want)
	}
}

func TestVectorsOrderChecks(t *testing.T) {
	v := load(t)
	committee := v.committee(t, "equal(1,1,1,1)")
	for _, c := range v.OrderChecks {
		compare(t, c.Name, committee.CheckOrder(decode(t, c.Message).Order()), c.Result)
	}
}

func TestVectorsVoteChecks(t *testing.T) {
	v := load(t)
	committee := v.committee(t, "equal(1,1,1,1)")
	for _, c := range v.VoteChecks {
		weight, err := committee.CheckVote(decode(t, c.Message).Vote())
		compare(t, c.Name, err, c.Result)
		if weight != c.Result.Weight {
			t.Errorf("%s: weight %d, prototype %d", c.Name, weight, c.Result.Weight)
		}
	}
}

func TestVectorsAggregator(t *testing.T) {
	v := load(t)
	order := decode(t, v.Aggregator.Order).Order()
	a, err := NewAggregator(v.committee(t, "equal(1,1,1,1)"), order)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range v.Aggregator.Appends {
		name := v.address(t, step.Authority)
		sig := crypto.Signature(unhex(t, step.Signature))
		cert, err := a.Append(&name, &sig)
		compare(t, step.Name, err, verdict{OK: step.Result.Kind != "error", Error: step.Result.Error})
		var message []byte
		if !cert.IsZero() {
			message = codec.AppendCertificate(nil, cert)
		}
		if !bytes.Equal(message, unhex(t, step.Result.Certificate)) {
			t.Errorf("%s: certificate %x, prototype %s", step.Name, message, step.Result.Certificate)
		}
	}
	if a.Weight() != 4 {
		t.Errorf("weight %d, expected 4", a.Weight())
	}
	sig := *order.Signature()
	sig[0] ^= 1
	transfer := order.Transfer()
	_, err = NewAggregator(v.committee(t, "equal(1,1,1,1)"), codec.NewOrder(&transfer, &sig))
	compare(t, "bad sender's signature", err, verdict{Error: v.Aggregator.BadSender})
}

func TestVectorsCommitteeFile(t *testing.T) {
	v := load(t)
	file, err := os.ReadFile(configsDir + "committee.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	var again []byte
	for i := range c.Len() {
		line, err := json.Marshal(c.Member(i))
		if err != nil {
			t.Fatal(err)
		}
		again = append(append(again, line...), '\n')
	}
	if !bytes.Equal(again, file) {
		t.Errorf("wrote\n%s\nprototype\n%s", again, file)
	}
	if c.Len() != 4 || c.TotalWeight() != 4 || c.Quorum() != 3 || c.Validity() != 2 {
		t.Errorf("%d members, weight %d, quorum %d, validity %d", c.Len(), c.TotalWeight(), c.Quorum(), c.Validity())
	}
	m := Member{Name: v.address(t, v.Keys[0].Public), Weight: 1, Protocol: TCP, Host: "127.0.0.1", BasePort: 9100, NumShards: 4}
	for want, p := range map[string]Protocol{v.Configs.LineTCP: TCP, v.Configs.LineUDP: UDP} {
		m.Protocol = p
		if got, err := json.Marshal(m); err != nil || string(got) != want {
			t.Errorf("wrote %s (%v), prototype %s", got, err, want)
		}
		if c, err := Parse([]byte(want)); err != nil || !c.Member(0).Equal(&m) {
			t.Errorf("read %+v (%v), expected %+v", c, err, m)
		}
	}
}

func TestVectorsServerFiles(t *testing.T) {
	v := load(t)
	files := map[string][]byte{"vector": []byte(v.Configs.ServerFile)}
	for _, name := range []string{"server1.json", "server2.json", "server3.json", "server4.json"} {
		file, err := os.ReadFile(configsDir + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
	}
	for name, file := range files {
		s, err := ParseServer(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again, err := AppendServer(nil, s); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%s: wrote\n%s(%v)\nprototype\n%s", name, again, err, file)
		}
	}
	if !strings.Contains(v.Configs.ServerFile, v.Keys[0].Keypair) {
		t.Error("the vector is not of the first key")
	}
}
