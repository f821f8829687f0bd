package codec

import (
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
)

// Balance is a signed 128-bit amount of money, hi·2^64 + lo. It may be negative for a while: a certificate can be
// settled before the payment that funded it. The zero value is 0.
type Balance struct {
	hi int64
	lo uint64
}

// The limits of a balance.
var (
	MaxBalance = Balance{1<<63 - 1, 1<<64 - 1}
	MinBalance = Balance{-1 << 63, 0}
)

// NewBalance is the balance of amount.
func NewBalance(amount uint64) Balance { return Balance{0, amount} }

// Add returns b + c, and whether it fits.
func (b Balance) Add(c Balance) (sum Balance, ok bool) {
	lo, carry := bits.Add64(b.lo, c.lo, 0)
	hi, _ := bits.Add64(uint64(b.hi), uint64(c.hi), carry)
	sum = Balance{int64(hi), lo}
	return sum, (b.hi < 0) != (c.hi < 0) || (sum.hi < 0) == (b.hi < 0)
}

// Sub returns b - c, and whether it fits.
func (b Balance) Sub(c Balance) (diff Balance, ok bool) {
	lo, borrow := bits.Sub64(b.lo, c.lo, 0)
	hi, _ := bits.Sub64(uint64(b.hi), uint64(c.hi), borrow)
	diff = Balance{int64(hi), lo}
	return diff, (b.hi < 0) == (c.hi < 0) || (diff.hi < 0) == (b.hi < 0)
}

// Less reports whether b < c.
func (b Balance) Less(c Balance) bool {
	return b.hi < c.hi || b.hi == c.hi && b.lo < c.lo
}

// Amount returns b as an amount, and whether it is one: 0 <= b < 2^64.
func (b Balance) Amount() (amount uint64, ok bool) { return b.lo, b.hi == 0 }

// Big returns b as an integer of its own.
func (b Balance) Big() *big.Int {
	z := new(big.Int).Lsh(big.NewInt(b.hi), 64)
	return z.Add(z, new(big.Int).SetUint64(b.lo))
}

// String is b in decimal.
func (b Balance) String() string { return b.Big().String() }

// MarshalJSON writes a JSON integer, as the prototype's account files have it.
func (b Balance) MarshalJSON() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalJSON reads a JSON integer.
func (b *Balance) UnmarshalJSON(text []byte) (err error) {
	*b, err = ParseBalance(string(text))
	return err
}

// Errors of ParseBalance.
var (
	errBalanceSyntax = errors.New("codec: a balance is a decimal integer")
	errBalanceRange  = errors.New("codec: balance does not fit in 128 bits")
)

// ParseBalance reads a decimal integer: digits after an optional sign, nothing else.
func ParseBalance(s string) (Balance, error) {
	digits := s
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	if digits == "" {
		return Balance{}, errBalanceSyntax
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return Balance{}, errBalanceSyntax
		}
	}
	if len(digits) > maxBalanceText {
		return Balance{}, errBalanceRange
	}
	z, _ := new(big.Int).SetString(s, 10)
	lo := new(big.Int).And(z, new(big.Int).SetUint64(1<<64-1)).Uint64()
	hi := new(big.Int).Rsh(z, 64)
	if !hi.IsInt64() {
		return Balance{}, errBalanceRange
	}
	return Balance{hi.Int64(), lo}, nil
}

// maxBalanceText bounds the work of parsing; leading zeros beyond it are refused.
const maxBalanceText = 80

func balanceFromBytes(b []byte) Balance {
	return Balance{int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint64(b)}
}

func (b Balance) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, b.lo)
	return binary.LittleEndian.AppendUint64(dst, uint64(b.hi))
}
