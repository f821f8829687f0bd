package sim

import (
	"os"
	"runtime/debug"
)

// Worlds are small and make much garbage, so it is collected seldom: when memory has grown to so many percent more than is
// in use, and before that only where a world is so large that all together would exceed memoryLimit.
const (
	garbagePercent = 1600
	memoryLimit    = 2 << 30
)

// CollectSeldom makes the garbage collector take less of the time of worlds, for all of the process, until restore is
// called. It does nothing where the environment says how often to collect.
func CollectSeldom() (restore func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(garbagePercent), debug.SetMemoryLimit(memoryLimit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
