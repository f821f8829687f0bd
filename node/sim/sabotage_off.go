//go:build !sabotage

package sim

// sabotaged is true only in binaries built with the tag sabotage.
func sabotaged(string) bool { return false }
