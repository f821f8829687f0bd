//go:build sabotage

package sim

// Sabotage names the bug that is switched on.
var Sabotage string

func sabotaged(name string) bool { return Sabotage == name }
