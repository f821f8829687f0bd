package committee

import (
	"encoding/base64"
	"fmt"
	"strings"

	"fastpay/codec"
)

// FormatAddress is a in padded base64, as all files and commands have it.
func FormatAddress(a *codec.Address) string { return base64.StdEncoding.EncodeToString(a[:]) }

// ParseAddress reads an address in base64, with its padding or without. Exactly 32 bytes are accepted; the prototype
// ignores what is beyond them, which lets a mistyped address pass.
func ParseAddress(s string) (codec.Address, error) {
	var a codec.Address
	b, err := decodeBase64(s)
	if err != nil {
		return a, fmt.Errorf("committee: address is not base64: %w", err)
	}
	if len(b) != len(a) {
		return a, fmt.Errorf("committee: address has %d bytes, expected %d", len(b), len(a))
	}
	copy(a[:], b)
	return a, nil
}

// decodeBase64 is strict: no white space inside (the standard decoder skips line breaks), no bits set beyond the end.
func decodeBase64(s string) ([]byte, error) {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	if len(s)%4 == 0 {
		return base64.StdEncoding.Strict().DecodeString(s)
	}
	return base64.RawStdEncoding.Strict().DecodeString(s)
}
