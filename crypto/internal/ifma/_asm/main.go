// Command asm writes the assembly of package ifma. It is a module of its own, so that the project does not depend on
// the generator.
//
// Every set of kernels is one output file. The directives in ../generate.go run each of them:
//
//	go run . -set field -pkg ifma -out ../field_amd64.s -stubs ../field_kernels_amd64.go
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

// sets maps the name of a set to the function that emits its kernels.
var sets = map[string]func(){
	"field":  fieldSet,
	"point":  pointSet,
	"walk":   walkSet,
	"encode": encodeSet,
	"bucket": bucketSet,
	"sign":   signSet,
	"quad":   quadSet,
	"comb":   combSet,
}

func main() {
	set := flag.String("set", "", "set of kernels to write")
	flag.Parse()
	emit, ok := sets[*set]
	if !ok {
		fmt.Fprintf(os.Stderr, "asm: no set of kernels named %q\n", *set)
		os.Exit(2)
	}
	declareTypes("Element", "Point", "Affine", "Words", "CachedPoint", "plan", "window", "sumRoom", "oddTable",
		"quad", "quadEntry", "walkRoom", "combRoom")
	ConstraintExpr("!purego")
	emit()
	Generate()
}
