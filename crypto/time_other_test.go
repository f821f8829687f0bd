//go:build !linux

package crypto

import "time"

// threadTime is that of the process: there is no portable clock of a thread.
func threadTime() time.Duration { return cpuTime() }
