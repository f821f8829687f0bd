package crypto

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand"
	"os"
	"strings"
	"testing"

	"fastpay/crypto/internal/backend"
)

func openVectors(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if !strings.HasSuffix(name, ".gz") {
		return f
	}
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.NewDecoder(openVectors(t, name)).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func vector(t *testing.T, key, message, sig []byte, valid bool) signed {
	t.Helper()
	if len(key) != PublicKeySize || len(sig) != SignatureSize {
		t.Fatalf("vector with a key of %d and a signature of %d bytes", len(key), len(sig))
	}
	return signed{key: PublicKey(key), member: -1, message: message, sig: Signature(sig), valid: valid}
}

// speccheckZIP215 is what ZIP-215 says of the cases of the paper: all but S ≥ l (6 and 7), and 8, which holds only when
// R is hashed in another encoding than the one received.
var speccheckZIP215 = [12]bool{true, true, true, true, true, true, false, false, false, true, true, true}

func speccheckVectors(t *testing.T) (out []signed) {
	var cases []struct{ Message, Pub_key, Signature string }
	readJSON(t, "speccheck_cases.json.gz", &cases)
	if len(cases) != len(speccheckZIP215) {
		t.Fatalf("%d cases", len(cases))
	}
	for i, c := range cases {
		out = append(out, vector(t, unhex(t, c.Pub_key), unhex(t, c.Message), unhex(t, c.Signature), speccheckZIP215[i]))
	}
	return out
}

func zip215Vectors(t *testing.T) (out []signed) {
	var cases [][2]string
	readJSON(t, "zip215.json.gz", &cases)
	for _, c := range cases {
		out = append(out, vector(t, unhex(t, c[0]), []byte("Zcash"), unhex(t, c[1]), true))
	}
	return out
}

// edgeVectors are good by ZIP-215 whatever their flags say, since all flags name what it allows.
func edgeVectors(t *testing.T) (out []signed) {
	var cases []struct {
		A, R, S, M string
		Flags      []string
	}
	readJSON(t, "ed25519vectors.json.gz", &cases)
	for _, c := range cases {
		out = append(out, vector(t, unhex(t, c.A), []byte(c.M), unhex(t, c.R+c.S), true))
	}
	return out
}

// wycheproofVectors leaves out the cases whose signature has another length: they have no Signature.
func wycheproofVectors(t *testing.T) (out []signed) {
	var file struct {
		TestGroups []struct {
			Key   struct{ Pk string }
			Tests []struct{ Msg, Sig, Result string }
		}
	}
	readJSON(t, "eddsa_test.json.gz", &file)
	for _, g := range file.TestGroups {
		for _, c := range g.Tests {
			if sig := unhex(t, c.Sig); len(sig) == SignatureSize {
				out = append(out, vector(t, unhex(t, g.Key.Pk), unhex(t, c.Msg), sig, c.Result == "valid"))
			}
		}
	}
	return out
}

func allVectors(t *testing.T) (out []signed) {
	sets := [][]signed{speccheckVectors(t), zip215Vectors(t), edgeVectors(t), wycheproofVectors(t)}
	for i, want := range []int{12, 196, 768, 133} {
		if len(sets[i]) != want {
			t.Fatalf("vector set %d has %d cases, want %d", i, len(sets[i]), want)
		}
		out = append(out, sets[i]...)
	}
	return out
}

func TestVectorsSingle(t *testing.T) {
	vectors := allVectors(t)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		with(t, b)
		v := newVerifier(b, nil)
		for i := range vectors {
			c := &vectors[i]
			if got := Verify(&c.key, c.message, &c.sig); got != c.valid {
				t.Errorf("vector %d (key %x): %v, want %v", i, c.key, got, c.valid)
			}
			check(t, v, vectors[i:i+1])
		}
	})
}

// TestVectorsInBatches mixes all vectors, into one batch and into small ones with honest signatures.
func TestVectorsInBatches(t *testing.T) {
	vectors := allVectors(t)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		rng := rand.New(rand.NewSource(3))
		v := newVerifier(b, nil)
		check(t, v, vectors)
		var good []signed
		for _, c := range vectors {
			if c.valid {
				good = append(good, c)
			}
		}
		check(t, v, good)
		honest := orders(rng, 20)
		for _, n := range []int{4, 7, 30, 64} {
			for range 12 {
				batch := append([]signed{}, honest[:rng.Intn(20)]...)
				for range n {
					batch = append(batch, vectors[rng.Intn(len(vectors))])
				}
				rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
				check(t, v, batch)
			}
		}
	})
}

// TestVectorsAsVotes makes members of all keys, among them those of small order and with encodings that are not
// canonical, which no committee file could have. The rounds in between are enough for every key to get its
// table.
func TestVectorsAsVotes(t *testing.T) {
	vectors := allVectors(t)
	index := make(map[PublicKey]int)
	var keys []PublicKey
	for i := range vectors {
		c := &vectors[i]
		if CheckKey(&c.key) == ErrNotPoint {
			continue
		}
		if _, ok := index[c.key]; !ok {
			index[c.key] = len(keys)
			keys = append(keys, c.key)
		}
		c.member = index[c.key]
	}
	once := make([]signed, len(keys)) // one vector for each key
	for _, c := range vectors {
		if c.member >= 0 {
			once[c.member] = c
		}
	}
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		v := newVerifier(b, newKeySet(b, keys))
		check(t, v, vectors)
		if b.Name() != "generic" { // which has no tables
			for range 102 {
				check(t, v, once)
			}
		}
		check(t, v, vectors)
		for i := range vectors {
			check(t, v, vectors[i:i+1])
		}
	})
}

func TestSignaturesOfAuthors(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		with(t, b)
		v := newVerifier(b, nil)
		var batch []signed
		lines := bufio.NewScanner(openVectors(t, "sign.input.gz"))
		lines.Buffer(nil, 1<<16)
		for lines.Scan() {
			fields := strings.Split(lines.Text(), ":")
			key := NewPrivateKey((*[SeedSize]byte)(unhex(t, fields[0][:2*SeedSize])))
			message := unhex(t, fields[2])
			want := vector(t, unhex(t, fields[1]), message, unhex(t, fields[3][:2*SignatureSize]), true)
			var sig Signature
			if key.Sign(&sig, message); key.Public() != want.key || sig != want.sig {
				t.Fatalf("seed %s: other key or signature", fields[0][:2*SeedSize])
			}
			batch = append(batch, want)
		}
		if len(batch) != 128 || lines.Err() != nil {
			t.Fatalf("%d lines: %v", len(batch), lines.Err())
		}
		check(t, v, batch)
	})
}

func TestKeysAndSignaturesOfPrototype(t *testing.T) {
	var golden struct {
		Keys []struct {
			Name       string
			Seed_hex   string
			Public_hex string
		}
		Signatures []struct {
			Message_hex                  string
			Sender_key                   string
			Sender_signature_hex         string
			Authority_key                string
			Authority_vote_signature_hex string
		}
	}
	readJSON(t, "prototype.json", &golden)
	if len(golden.Keys) == 0 || len(golden.Signatures) == 0 {
		t.Fatal("no vectors")
	}
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		with(t, b)
		keys := make(map[string]*PrivateKey)
		for _, k := range golden.Keys {
			key := NewPrivateKey((*[SeedSize]byte)(unhex(t, k.Seed_hex)))
			if key.Public() != PublicKey(unhex(t, k.Public_hex)) {
				t.Fatalf("%s: other public key", k.Name)
			}
			keys[k.Name] = key
		}
		var batch []signed
		for _, s := range golden.Signatures {
			for _, by := range [][2]string{{s.Sender_key, s.Sender_signature_hex}, {s.Authority_key, s.Authority_vote_signature_hex}} {
				key := keys[by[0]]
				public := key.Public()
				want := vector(t, public[:], unhex(t, s.Message_hex), unhex(t, by[1]), true)
				var sig Signature
				if key.Sign(&sig, want.message); sig != want.sig {
					t.Fatalf("%s signs %s differently", by[0], s.Message_hex)
				}
				batch = append(batch, want)
			}
		}
		check(t, newVerifier(b, nil), batch)
	})
}
