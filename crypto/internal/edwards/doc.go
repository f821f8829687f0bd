// Package edwards is arithmetic on the curve of Ed25519, one point at a time: field elements, points, tables of multiples
// of fixed points, and sums of many multiples. It is what the checking of signatures on processors without wide vector
// multiplication is made of. It is not for general use: only what that needs is here.
//
// Number representation: an Element is any 256 bits, modulo 2^255 - 19, and is brought below the modulus only when it is
// encoded or compared. Every operation takes and gives any Element, so that there are no ranges to keep in mind.
//
// On amd64 with BMI2, ADX and AVX2 the multiplication and whole point additions are kernels in assembly, written by the
// program in _asm (run go generate after changing it); everywhere else, and with the tag purego, their generic twins in
// Go do the same, and the tests run both against math/big and curve25519-voi. Costs on a Zen 4 core, kernel and twin: a
// multiplication 13 and 18 ns, an addition of an affine point 80 and 160 ns.
//
// Nothing is in constant time unless it says so. What is: elements, Table.Multiply, EncodeAll.
//
// Read element.go first, then point.go, table.go and multiscalar.go.
package edwards

//go:generate sh -c "cd _asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg edwards"
