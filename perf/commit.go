package perf

import (
	"runtime/debug"
	"strings"
)

// commit is set at build time, with "-dirty" behind it when the tree had changes:
//
//	go build -ldflags "-X fastpay/perf.commit=$(git describe --always --dirty --abbrev=40 --exclude='*')"
//
// It is needed where the go command does not stamp version control by itself: -buildvcs=false, go run, tests.
var commit string

// Commit is the commit that this binary was built from, and whether the tree had changes; "unknown" when the build does
// not tell.
func Commit() (hash string, dirty bool) {
	if commit != "" {
		return strings.CutSuffix(commit, "-dirty")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", false
	}
	return vcsCommit(info.Settings)
}

func vcsCommit(settings []debug.BuildSetting) (hash string, dirty bool) {
	hash = "unknown"
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			hash = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return hash, dirty
}
