//go:build sabotage

package link

// Sabotage is the name of the deliberate bug that is switched on.
var Sabotage string

func sabotaged(name string) bool { return Sabotage == name }
