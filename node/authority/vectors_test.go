package authority

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"fastpay/codec"
)

// The vectors were made by running the prototype; the codec package holds them and says how.
const vectorsFile = "../../codec/testdata/vectors.json"

type vectorShard struct {
	Shard           int
	LastTransaction string `json:"last_transaction_index"`
	Accounts        []struct {
		Address, Balance                  string
		Next                              string  `json:"next_sequence_number"`
		Pending                           *string `json:"pending_vote_hex"`
		Confirmed, Received, Synchronized int
	}
}

type vectorStep struct {
	Step  int
	Name  string
	Shard int
	Op    string
	Input json.RawMessage
	Bytes string `json:"input_hex"`

	Result struct {
		Kind   string
		Error  struct{ Variant string }
		Reply  *string `json:"wire_reply_hex"`
		Update *struct {
			Shard   int    `json:"shard_id"`
			Message string `json:"message_hex"`
		} `json:"cross_shard_update"`
	}
	State []vectorShard `json:"state_after"`
}

type vectors struct {
	Keys []struct {
		Seed   string `json:"seed_hex"`
		Public string `json:"public_hex"`
	}
	StateMachine struct {
		Initial []vectorShard `json:"initial_state"`
		Steps   []vectorStep
	} `json:"state_machine"`
	Contract []contractStep `json:"smart_contract"`
}

func loadVectors(t testing.TB) *vectors {
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

// authorities are the names of the four members.
func (v *vectors) authorities(t testing.TB) (names []codec.Address) {
	t.Helper()
	for _, k := range v.Keys[:4] {
		names = append(names, v.address(t, k.Public))
	}
	return names
}
