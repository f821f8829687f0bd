package authority

import (
	"errors"
	"math"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// A contractStep is one call of the prototype's contract.
type contractStep struct {
	Name  string
	Input struct {
		Recipient string
		Amount    uint64 `json:"primary_coins,string"`
		Message   string `json:"cert_hex"`
	}
	Result string
	Last   uint64 `json:"last_transaction_index,string"`
}

// contractErrors are the prototype's texts and what they are here.
var contractErrors = map[string]error{
	"ok":                                  nil,
	"Transfers must have positive amount": ErrAmount,
	"Transfer certificates to Primary must have increasing sequence numbers.": ErrRedeemed,
	"The balance on the blockchain cannot be negative":                        ErrNotCovered,
	"Signatures in a certificate must form a quorum":                          &codec.Error{Code: codec.CertificateRequiresQuorum},
}

// contractPatches are the calls with another result here, on purpose.
var contractPatches = map[string]error{
	"redeem seq 0 (older)":                          nil, // a set of payments, so an older one is not lost
	"redeem with a FastPay recipient (not checked)": ErrNotPrimary,
	"redeem amount 0 (not checked)":                 ErrAmount,
}

func TestVectorsContract(t *testing.T) {
	v := loadVectors(t)
	p := NewContract(testCommittee(t, v.authorities(t)...))
	used := 0
	for _, step := range v.Contract {
		var err error
		if step.Input.Message == "" {
			recipient := v.address(t, step.Input.Recipient)
			_, err = p.Fund(&recipient, step.Input.Amount)
		} else {
			var m codec.Message
			if !m.Decode(unhex(t, step.Input.Message)) {
				t.Fatalf("%s: does not decode", step.Name)
			}
			_, _, err = p.Redeem(m.Certificate())
		}
		want, ok := contractErrors[step.Result]
		if !ok {
			t.Fatalf("%s: unknown result %q", step.Name, step.Result)
		}
		if ours, ok := contractPatches[step.Name]; ok {
			if errors.Is(err, want) {
				t.Errorf("%s: the patch is not needed", step.Name)
			}
			want, used = ours, used+1
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", step.Name, err, want)
		}
		if got := uint64(len(p.Log())); got != step.Last {
			t.Errorf("%s: %d transactions, prototype %d", step.Name, got, step.Last)
		}
	}
	if used != len(contractPatches) {
		t.Errorf("%d of %d patches used", used, len(contractPatches))
	}
	if p.Total() != 5+10-3-3 {
		t.Errorf("the contract holds %d", p.Total())
	}
	last := p.Log()[1]
	if last.Index != 2 || last.Amount != 10 || last.Recipient != v.address(t, v.Contract[1].Input.Recipient) {
		t.Errorf("transaction %+v", last)
	}
}

func TestContractRefusesMoreThan64BitsInTotal(t *testing.T) {
	p := NewContract(testCommittee(t, testKey(0)))
	a := testKey(10)
	if index, err := p.Fund(&a, math.MaxUint64); index != 1 || err != nil {
		t.Fatalf("%d, %v", index, err)
	}
	if _, err := p.Fund(&a, 1); !errors.Is(err, ErrTotal) {
		t.Errorf("error %v", err)
	}
	if len(p.Log()) != 1 || p.Total() != math.MaxUint64 {
		t.Error("the refused call left something")
	}
}

func TestContractPaysOnceToTheRecipient(t *testing.T) {
	members := []codec.Address{testKey(0)}
	p := NewContract(testCommittee(t, members...))
	owner := crypto.NewPrivateKey(&[32]byte{9})
	payee := testKey(11)
	transfer := codec.Transfer{Sender: owner.Public(), Recipient: codec.Recipient{Address: payee}, Amount: 7}
	message := transfer.AppendSignedBytes(nil)
	var sig crypto.Signature
	owner.Sign(&sig, message)
	order := codec.NewOrder(&transfer, &sig)
	crypto.NewPrivateKey(&[32]byte{0, 1}).Sign(&sig, message)
	cert := codec.NewCertificate(order, []codec.VoteEntry{{Authority: testKey(0), Signature: sig}})
	if _, _, err := p.Redeem(cert); !errors.Is(err, ErrNotCovered) {
		t.Errorf("redeemed from an empty contract: %v", err)
	}
	if _, err := p.Fund(&payee, 10); err != nil {
		t.Fatal(err)
	}
	if to, amount, err := p.Redeem(cert); to != payee || amount != 7 || err != nil {
		t.Errorf("paid %d to %x: %v", amount, to, err)
	}
	if _, _, err := p.Redeem(cert); !errors.Is(err, ErrRedeemed) || p.Total() != 3 {
		t.Errorf("paid twice: %v, holds %d", err, p.Total())
	}
}
