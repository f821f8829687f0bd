package authority

import (
	"errors"
	"math/bits"

	"fastpay/codec"
	"fastpay/node/committee"
)

// A Contract simulates the smart contract on the Primary (paper, section 5): it takes money in, which the authorities
// credit by following its log of transactions, and pays money out for certificates to a Primary address. Nothing is
// ever refused half-way: a call that fails changes nothing. A Contract belongs to one goroutine.
type Contract struct {
	committee *committee.Committee
	total     uint64
	log       []Transaction
	redeemed  map[redemption]struct{}
}

// A Transaction is money that came in. The first has Index 1.
type Transaction struct {
	Recipient codec.Address
	Amount    uint64
	Index     uint64
}

// A redemption names a payment. A set of them, and not a last number for each sender, so that a certificate that is
// redeemed late is not lost.
type redemption struct {
	sender   codec.Address
	sequence uint64
}

// Errors of a Contract. A certificate that does not verify is a *codec.Error.
var (
	ErrAmount     = errors.New("authority: the amount must be positive")
	ErrTotal      = errors.New("authority: the contract's total does not fit in 64 bits")
	ErrNotPrimary = errors.New("authority: the certificate does not pay to the Primary")
	ErrRedeemed   = errors.New("authority: the certificate was redeemed before")
	ErrNotCovered = errors.New("authority: the contract does not hold that much")
)

// NewContract makes a contract without money that trusts committee c.
func NewContract(c *committee.Committee) *Contract {
	return &Contract{committee: c, redeemed: make(map[redemption]struct{})}
}

// Fund takes in amount for recipient and returns the transaction's index.
func (p *Contract) Fund(recipient *codec.Address, amount uint64) (index uint64, err error) {
	if amount == 0 {
		return 0, ErrAmount
	}
	total, carry := bits.Add64(p.total, amount, 0)
	if carry != 0 {
		return 0, ErrTotal
	}
	p.total = total
	index = uint64(len(p.log)) + 1
	p.log = append(p.log, Transaction{*recipient, amount, index})
	return index, nil
}

// Redeem pays out a certificate to a Primary address, once. It returns whom and how much. Checked are, in this order: the
// certificate with all signatures; a Primary recipient; a positive amount; that it was not redeemed; that the contract
// holds as much.
func (p *Contract) Redeem(c codec.Certificate) (recipient codec.Address, amount uint64, err error) {
	if err := p.committee.CheckCertificate(c); err != nil {
		return codec.Address{}, 0, err
	}
	o := c.Order()
	key := redemption{*o.Sender(), o.SequenceNumber()}
	_, repeated := p.redeemed[key]
	switch {
	case o.RecipientKind() != codec.Primary:
		return codec.Address{}, 0, ErrNotPrimary
	case o.Amount() == 0:
		return codec.Address{}, 0, ErrAmount
	case repeated && !sabotaged("authority: a certificate is redeemed again"):
		return codec.Address{}, 0, ErrRedeemed
	case o.Amount() > p.total:
		return codec.Address{}, 0, ErrNotCovered
	}
	p.redeemed[key] = struct{}{}
	p.total -= o.Amount()
	return *o.Recipient(), o.Amount(), nil
}

// Total is what the contract holds.
func (p *Contract) Total() uint64 { return p.total }

// Log is all transactions, in the order of their indices. It must not be changed.
func (p *Contract) Log() []Transaction { return p.log }
