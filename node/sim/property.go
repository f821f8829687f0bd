package sim

import "fmt"

// A Property is something that must hold in every world; see the package comment.
type Property string

// What is checked at each step: safety.
const (
	propertyS1   Property = "S1"   // no two certificates with different content for one account and number
	propertyS2   Property = "S2"   // a correct authority signs one order for an account and number, also over crashes
	propertyS3   Property = "S3"   // what is accepted has the votes of a quorum of members over exactly these bytes
	propertyS4   Property = "S4"   // money is neither made nor lost: balances are what certificates and funding say
	propertyS5   Property = "S5"   // nobody spends what he does not have
	propertyS6   Property = "S6"   // every credit is applied exactly once
	propertyS7   Property = "S7"   // repeating a message, and asking, changes nothing
	propertyS8   Property = "S8"   // nothing that was acknowledged is lost by a crash
	propertyS9   Property = "S9"   // money moves only with its owner's signature
	propertyS10  Property = "S10"  // the same certificates in any order give the same state
	propertyR1   Property = "R1"   // no input panics
	propertyDisk Property = "disk" // a journal that was not damaged can be opened
)

// What is checked at the end, when the network is whole and a quorum runs: liveness.
const (
	propertyL1 Property = "L1" // an order of a correct owner is certified in bounded time
	propertyL2 Property = "L2" // anyone with a certificate can settle it
	propertyL3 Property = "L3" // an authority that lags catches up
	propertyL4 Property = "L4" // who equivocates blocks his own account alone
)

// A Violation is a property that does not hold.
type Violation struct {
	Property Property
	Text     string
	AtMicros uint64 // virtual time
	Step     uint64 // number of the event
}

// Error is the violation in one line.
func (v *Violation) Error() string {
	return fmt.Sprintf("%s violated at step %d, %d.%03d ms: %s", v.Property, v.Step, v.AtMicros/1000, v.AtMicros%1000, v.Text)
}
