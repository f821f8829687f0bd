package codec

import (
	"encoding/base64"
	"errors"
	"fmt"

	"fastpay/crypto"
)

// Address names an account, an authority or an address on the Primary: an Ed25519 public key.
type Address = crypto.PublicKey

// AddressTextSize is the length of an address as text: 32 bytes in standard base64, padding included.
const AddressTextSize = 44

// ErrAddress is wrapped by every error of ParseAddress.
var ErrAddress = errors.New("codec: not an address")

// addressText refuses nonzero bits after the last whole byte, so that no address has two spellings but for its padding.
var addressText = base64.RawStdEncoding.Strict()

// ParseAddress reads an address as FormatAddress writes it; the padding may be missing. Unlike the prototype, which
// takes the first 32 bytes of anything longer, it refuses what is not exactly 32 bytes.
func ParseAddress(s string) (Address, error) {
	digits := s
	if len(s) == AddressTextSize && s[AddressTextSize-1] == '=' {
		digits = s[:AddressTextSize-1]
	}
	if i := firstNonBase64(digits); i >= 0 {
		return Address{}, fmt.Errorf("%w: %q has %q at offset %d, expected base64", ErrAddress, excerpt(s), digits[i], i)
	}
	if len(digits) != AddressTextSize-1 {
		return Address{}, fmt.Errorf("%w: %q has %d characters, expected %d of base64",
			ErrAddress, excerpt(s), len(s), AddressTextSize)
	}
	var a Address
	if _, err := addressText.Decode(a[:], []byte(digits)); err != nil {
		// All characters and the length are right, so what is left is the unused bits of the last one.
		return Address{}, fmt.Errorf("%w: %q is mistyped near its end: %q ends no 32 bytes",
			ErrAddress, excerpt(s), digits[len(digits)-1])
	}
	return a, nil
}

// firstNonBase64 is the offset of the first byte outside of the standard alphabet, -1 if there is none.
func firstNonBase64(s string) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
		default:
			return i
		}
	}
	return -1
}

// AppendAddress appends a as text, AddressTextSize characters.
func AppendAddress(dst []byte, a *Address) []byte { return base64.StdEncoding.AppendEncode(dst, a[:]) }

// FormatAddress is a as text, in the base64 that all files and commands use.
func FormatAddress(a *Address) string { return base64.StdEncoding.EncodeToString(a[:]) }
