package backend

// Check is one signature of a batch. What it points to is not changed, and not kept after the call.
type Check struct {
	Key       *[32]byte
	Message   []byte
	Signature *[64]byte // R, then S
	Member    int32     // index of Key among the members, or -1: the key of nobody known
	Valid     bool      // the verdict
}

// Secret is an expanded private key (RFC 8032, section 5.1.5). It is read-only.
type Secret struct {
	Seed   [32]byte
	Scalar [32]byte // clamped, little-endian, below 2^255 and not reduced
	Prefix [32]byte
	Public [32]byte
}

// Backend is one implementation. Its methods may be called by many goroutines at once.
type Backend interface {
	// Name is how users choose it.
	Name() string
	// Available is nil when this processor and this build can run it; otherwise it says what is missing.
	Available() error
	// BatchSize is how many votes a batch should have at most: more of them would get hardly cheaper, and keep a thread busy
	// for longer than a few milliseconds.
	BatchSize() int
	// NewMembers prepares keys whose signatures will be checked often. The result is shared by many checkers and safe for
	// concurrent use. The keys decode to points; the slice is not changed afterwards.
	NewMembers(keys [][32]byte) Members
	// NewChecker makes the reusable memory of one batch. members comes from NewMembers of this backend, or is nil.
	NewChecker(members Members) Checker
	// Verify is the verdict on one signature.
	Verify(key *[32]byte, message []byte, signature *[64]byte) bool
	// Sign makes one signature for each message; the slices have the same length. No branch and no address depends on the
	// secret, and what it leaves in memory of nonces is wiped.
	Sign(secret *Secret, signatures [][64]byte, messages [][]byte)
}

// Members is what a backend keeps of prepared keys.
type Members any

// Checker checks batches, one after the other. One goroutine owns it. Once it has seen batches of some size it allocates
// nothing for batches of that size.
type Checker interface {
	// Check sets the verdict of every check, of any number of them, and reports whether all are good. Of equal checks only
	// one is there.
	Check(checks []Check) bool
}
