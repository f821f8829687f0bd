// Package crypto is Ed25519 for payments: keys, signatures, and the checking of many signatures at once.
package crypto
