// Package generic is the plain twin of the faster backends: every signature is checked alone by curve25519-voi's verifier
// and made by the standard library, so that nothing here can be wrong in a batch. It is the oracle in tests, and what an
// operator falls back to who suspects a faster one.
package generic
