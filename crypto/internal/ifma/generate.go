package ifma

// The assembly is written by the program in _asm, a module of its own. Running it again changes nothing; the test
// TestGenerated, run with FASTPAY_GENERATE=1, compares.

//go:generate go -C _asm run . -set field -pkg ifma -out ../field_amd64.s -stubs ../field_stubs_amd64.go
//go:generate go -C _asm run . -set point -pkg ifma -out ../point_amd64.s -stubs ../point_stubs_amd64.go
//go:generate go -C _asm run . -set walk -pkg ifma -out ../walk_amd64.s -stubs ../walk_stubs_amd64.go
//go:generate go -C _asm run . -set encode -pkg ifma -out ../encode_amd64.s -stubs ../encode_stubs_amd64.go
//go:generate go -C _asm run . -set bucket -pkg ifma -out ../bucket_amd64.s -stubs ../bucket_stubs_amd64.go
//go:generate go -C _asm run . -set sign -pkg ifma -out ../sign_amd64.s -stubs ../sign_stubs_amd64.go
//go:generate go -C _asm run . -set quad -pkg ifma -out ../quad_amd64.s -stubs ../quad_stubs_amd64.go
//go:generate go -C _asm run . -set comb -pkg ifma -out ../comb_amd64.s -stubs ../comb_stubs_amd64.go
