// Command asm generates the AVX-512 kernels of package lanes. Run it through go generate in that package.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")

	load8()
	compress8()
	compress16()
	reduceHash8()
	reduceWide8()
	mulAdd8()
	coefficients()
	coefficientsAES()

	Generate()
}
