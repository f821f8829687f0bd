package committee

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"fastpay/codec"
	"fastpay/crypto"
)

// Server is the content of a server file: an authority's entry and its key.
type Server struct {
	Authority Member
	Key       *crypto.PrivateKey
}

// ErrServerFile is a server file that can't be used, wrapped with the reason.
var ErrServerFile = errors.New("committee: bad server file")

// keypairSize is a key in files: the 32-byte seed, then the 32-byte public key.
const keypairSize = crypto.SeedSize + crypto.PublicKeySize

// ParseServer reads a server file. The key's seed must make its public half, and that must be the authority's address.
func ParseServer(file []byte) (*Server, error) {
	var raw struct {
		Authority *Member `json:"authority"`
		Key       *string `json:"key"`
	}
	if err := decodeStrict(file, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServerFile, err)
	}
	if raw.Authority == nil || raw.Key == nil {
		return nil, fmt.Errorf("%w: expected the fields \"authority\" and \"key\"", ErrServerFile)
	}
	if err := raw.Authority.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServerFile, err)
	}
	key, err := parseKeypair(*raw.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServerFile, err)
	}
	if key.Public() != raw.Authority.Name {
		public := key.Public()
		return nil, fmt.Errorf("%w: the key belongs to %s, the address is %s", ErrServerFile,
			codec.FormatAddress(&public), codec.FormatAddress(&raw.Authority.Name))
	}
	return &Server{*raw.Authority, key}, nil
}

// parseKeypair reads a private key from base64. Its errors don't show any of it.
func parseKeypair(s string) (*crypto.PrivateKey, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != keypairSize || strings.ContainsAny(s, "\r\n") { // the decoder skips line breaks
		return nil, fmt.Errorf("the key must be %d bytes in base64", keypairSize)
	}
	key := crypto.NewPrivateKey((*[crypto.SeedSize]byte)(b))
	if key.Public() != crypto.PublicKey(b[crypto.SeedSize:]) {
		return nil, errors.New("the key's halves do not belong together")
	}
	return key, nil
}

// AppendServer appends the server file of s: indented JSON and a line break.
func AppendServer(dst []byte, s *Server) ([]byte, error) {
	seed, public := s.Key.Seed(), s.Key.Public()
	text, err := json.MarshalIndent(struct {
		Authority Member `json:"authority"`
		Key       string `json:"key"`
	}{s.Authority, base64.StdEncoding.EncodeToString(append(seed[:], public[:]...))}, "", "  ")
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrServerFile, err)
	}
	return append(append(dst, text...), '\n'), nil
}
