package crypto

import "github.com/klauspost/cpuid/v2"

// Backend names the implementation in use.
func Backend() string { return "voi" }

// Features names the features of this processor that the implementations make use of.
func Features() []string {
	var names []string
	for _, f := range []cpuid.FeatureID{cpuid.AVX2, cpuid.BMI2, cpuid.ADX, cpuid.SHA, cpuid.AVX512F, cpuid.AVX512IFMA, cpuid.AVX512VBMI} {
		if cpuid.CPU.Supports(f) {
			names = append(names, f.String())
		}
	}
	return names
}
