// Package perf is what a measurement needs to know about the machine, and about this process on it: CPU topology and
// pinning, the record of the environment that every result carries, resource usage between two moments, and profiles of a
// window.
//
// It is not a metrics library and has no opinion on what is measured. It runs on Linux, whose /proc and /sys it reads;
// where they can't be read, what they would have told is left zero and is never guessed.
//
// A profile covers what happened between Start and Stop and nothing before, so that set-up never hides in it. Memory
// profiles keep this promise only in a process that called Prepare first, and to the extent that Prepare says.
//
// Read on in cpu.go (who runs where), environment.go (the record), usage.go (costs), profile.go (windows), flame.go (flame
// graphs), system.go and probe.go (what a machine allows and how fast it is). README.md answers where a microsecond goes.
package perf
