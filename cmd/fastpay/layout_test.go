package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "fastpay"

// layout says which packages there are and which of ours each may import. It is the project's import table: a package that
// is not in it is refused, and so is an import that it does not name. Packages that are not written yet do no harm.
// Imports of tests do not count. Everything may be imported by cmd/fastpay.
var layout = map[string][]string{
	"cmd/fastpay": {"bench", "bench/paper", "node", "node/audit", "node/authority", "node/committee", "node/journal", "node/link",
		"node/client", "node/sim", "codec", "crypto", "perf"},
	"bench":       {"bench/chart", "bench/paper", "node", "node/client", "node/committee", "codec", "codec/mangle", "crypto", "perf"},
	"bench/chart": {},
	"bench/paper": {"bench/chart", "perf"},
	"node": {"node/authority", "node/journal", "node/link", "node/committee", "codec", "crypto",
		"perf"},
	"node/audit":          {"node/authority", "node/committee", "node/journal", "codec", "crypto"},
	"node/authority":      {"node/committee", "codec", "crypto"},
	"node/committee":      {"codec", "crypto"},
	"node/history":        {},
	"node/journal":        {"node/journal/crc32c"},
	"node/journal/crc32c": {},
	"node/link":           {"codec", "crypto"},
	"node/client":         {"node/committee", "codec", "crypto"},
	"node/sim": {"node/authority", "node/client", "node/journal", "node/link", "node/committee", "codec",
		"crypto"},
	"codec":        {"crypto"},
	"codec/mangle": {},
	"crypto":       {},
	"perf":         {},
	"perf/leaks":   {},
}

// pure packages know no I/O, clock or randomness, so that the simulator can run them under a seed.
var pure = []string{"node/authority", "node/committee", "node/link", "codec", "codec/mangle"}

// impure is what gives a package any of those.
var impure = []string{"crypto/rand", "log", "log/slog", "math/rand", "math/rand/v2", "net", "os", "syscall", "time"}

// kernels is the only place for internal packages: the arithmetic kernels, whose preconditions nobody checks.
const kernels = "crypto/internal"

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsFollowLayout(t *testing.T) {
	packages := listPackages(t)
	if len(packages) == 0 {
		t.Fatal("go list found no packages")
	}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		owner := name
		if within(name, kernels) {
			owner = "crypto"
		} else if slices.Contains(strings.Split(name, "/"), "internal") {
			t.Errorf("%s: internal packages belong under %s only", name, kernels)
		}
		allowed, known := layout[owner]
		if !known {
			t.Errorf("%s: a package that the layout does not have", name)
			continue
		}
		for _, path := range p.Imports {
			ours, isOurs := strings.CutPrefix(path, module+"/")
			switch {
			case !isOurs:
				if slices.Contains(pure, owner) && slices.Contains(impure, path) {
					t.Errorf("%s is pure and must not import %s", name, path)
				}
			case within(ours, kernels) && owner == "crypto", slices.Contains(allowed, ours):
			default:
				t.Errorf("%s must not import %s", name, ours)
			}
		}
	}
}

// within reports whether the package is dir or below it.
func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// listPackages asks the go command for all packages of the module, for the platform that runs the test.
func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// TestLayoutHasNoCycle: the table itself is an order, so that no package needs one that needs it.
func TestLayoutHasNoCycle(t *testing.T) {
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		if slices.Contains(path, name) {
			t.Fatalf("cycle: %v", append(path, name))
		}
		allowed, known := layout[name]
		if !known {
			t.Errorf("%v names %s, which the layout does not have", path, name)
		}
		for _, next := range allowed {
			visit(next, append(path, name))
		}
	}
	for name := range layout {
		visit(name, nil)
	}
}
