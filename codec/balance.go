package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
)

// Balance is a signed 128-bit amount of money, hi·2^64 + lo. It may be negative for a while: a certificate can be
// settled before the payment that funded it. The zero value is 0.
type Balance struct {
	hi int64
	lo uint64
}

// The limits of a balance, 2^127 - 1 and -2^127.
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
func (b Balance) String() string {
	if b.hi == 0 {
		return strconv.FormatUint(b.lo, 10)
	}
	return b.Big().String()
}

// MarshalJSON writes a JSON integer, as the prototype's account files have it.
func (b Balance) MarshalJSON() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalJSON reads a JSON integer; null is refused like anything else.
func (b *Balance) UnmarshalJSON(text []byte) (err error) {
	*b, err = ParseBalance(string(text))
	return err
}

// Errors of ParseBalance, wrapped together with the text that was refused.
var (
	ErrBalanceSyntax = errors.New("expected decimal digits after an optional sign")
	ErrBalanceRange  = errors.New("does not fit in a signed 128-bit integer")
)

// ParseBalance reads a decimal integer: digits after an optional sign, nothing else. It allocates nothing unless it
// fails.
func ParseBalance(s string) (Balance, error) {
	b, err := parseBalance(s)
	if err != nil {
		return Balance{}, fmt.Errorf("codec: balance %q: %w", excerpt(s), err)
	}
	return b, nil
}

func parseBalance(s string) (Balance, error) {
	negative, digits := false, s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, digits = s[0] == '-', s[1:]
	}
	if digits == "" {
		return Balance{}, ErrBalanceSyntax
	}
	var hi, lo uint64 // the magnitude, at most 2^127 - 1, or 2^127 when negative
	fits := true
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return Balance{}, ErrBalanceSyntax
		}
		if !fits {
			continue // a bad character further on is still the better error
		}
		// hi < 2^63 / 5 keeps 10·hi + carry below 2^64; anything larger is beyond 2^127 after this digit.
		if fits = hi < 1<<63/5; fits {
			high, low := bits.Mul64(lo, 10)
			sum, carry := bits.Add64(low, uint64(d), 0)
			hi, lo = 10*hi+high+carry, sum
		}
	}
	switch {
	case fits && negative && (hi < 1<<63 || hi == 1<<63 && lo == 0):
		low, borrow := bits.Sub64(0, lo, 0)
		high, _ := bits.Sub64(0, hi, borrow)
		return Balance{int64(high), low}, nil
	case fits && !negative && hi < 1<<63:
		return Balance{int64(hi), lo}, nil
	}
	return Balance{}, ErrBalanceRange
}

// excerpt keeps an error that quotes its input short, however long the input is.
func excerpt(s string) string {
	const most = 60 // a balance of the largest magnitude has 40 characters, an address 44
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// balanceSize is the encoded length: 16 bytes, two's complement, little-endian.
const balanceSize = 16

// BalanceFromBytes reads what AppendBytes wrote, the first 16 bytes of b.
func BalanceFromBytes(b []byte) Balance {
	return Balance{int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint64(b)}
}

// AppendBytes appends b as on the wire: 16 bytes, little-endian, two's complement.
func (b Balance) AppendBytes(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, b.lo)
	return binary.LittleEndian.AppendUint64(dst, uint64(b.hi))
}
