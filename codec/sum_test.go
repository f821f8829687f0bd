package codec

import (
	"testing"

	"fastpay/crypto"
)

// TestSumsTellHistoriesApart has sequences that differ in an order, in their order, or in length.
func TestSumsTellHistoriesApart(t *testing.T) {
	a, b := NewOrder(&Transfer{}, &crypto.Signature{1}), NewOrder(&Transfer{}, &crypto.Signature{15: 1})
	seen := map[uint64]string{}
	for name, sum := range map[string]uint64{
		"": 0, "a": a.AddTo(0), "b": b.AddTo(0), "ab": b.AddTo(a.AddTo(0)), "ba": a.AddTo(b.AddTo(0)),
		"aa": a.AddTo(a.AddTo(0)), "aab": b.AddTo(a.AddTo(a.AddTo(0))),
	} {
		if other, ok := seen[sum]; ok {
			t.Errorf("%q and %q have one sum", name, other)
		}
		seen[sum] = name
	}
	after := map[uint64]bool{}
	for i := range uint64(10_000) { // equal orders never bring two histories together
		after[a.AddTo(i)] = true
		after[a.AddTo(i<<40|1)] = true
	}
	if len(after) != 20_000-1 { // 1 is there twice
		t.Errorf("%d sums of 19,999", len(after))
	}
}
