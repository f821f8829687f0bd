// Package crypto is Ed25519 for payments: keys, signatures, and the checking of many signatures at once.
//
// One rule decides what a good signature is, for single ones and batches, in every backend: that of ZIP-215. A signature
// (R, S) of key A on message M is good when A and R decode to points (their encodings need not be canonical), S is below
// the group order l, and
//
//	[8][S]B = [8]R + [8][k]A,  k = SHA-512(R ‖ A ‖ M) mod l.
//
// Authorities that check in different batches, or with different backends, therefore never disagree. The rule accepts
// everything that crypto/ed25519 accepts, and more. Signing is RFC 8032, byte for byte that of crypto/ed25519.
//
// A Verifier checks a batch and gives each signature its own verdict. Inside a batch equal signatures of equal messages by
// equal keys are one check. Votes name their signer by its index in a KeySet, for which a backend may keep tables.
//
// The arithmetic is behind the interface of internal/backend: generic is the plain twin that checks one by one, voi the
// portable fast one, ifma the one in eight lanes for processors with AVX-512 IFMA. The best that this processor can run is
// chosen at start; the environment variable FASTPAY_CRYPTO names another.
//
// What this package does not do: remember what has verified (node/authority knows that), or decide whose signatures are
// needed (node/committee).
//
// Read verifier.go next, then internal/backend, then the backends.
package crypto
