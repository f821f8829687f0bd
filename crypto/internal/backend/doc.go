// Package backend is the contract between package crypto and the implementations of its arithmetic: what an
// implementation gets, what it gives, and who owns what.
//
// Package crypto does what is the same for all: it keeps the batch, removes signatures that are in it twice, and names
// verdicts by index. An implementation gets whole batches and whole groups of messages to sign, since that is where it
// can save work. Every implementation gives the same verdicts, those of ZIP-215: a signature (R, S) of key A is good when
// A and R decode (encodings need not be canonical), S is below the group order l, and [8][S]B = [8]R + [8][k]A with
// k = SHA-512(R ‖ A ‖ M) mod l over the bytes as received. Every implementation makes the same signatures, those of
// RFC 8032.
package backend
