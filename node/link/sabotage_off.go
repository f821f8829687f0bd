//go:build !sabotage

package link

// sabotaged asks whether a deliberate bug is switched on. It never is, and what it guards is compiled out, but in binaries
// built with the tag sabotage, in which the simulator must find each; see node/sim.
func sabotaged(string) bool { return false }
