package main

import "go/types"

// declareTypes makes the type names of package ifma known to the parser of signatures. Kernels use them behind pointers
// only, so nothing but the names matters; loading the package itself would make this module depend on the project, and
// on assembly that it has not written yet.
func declareTypes(names ...string) {
	for _, name := range names {
		object := types.NewTypeName(0, nil, name, nil)
		types.NewNamed(object, types.NewStruct(nil, nil), nil)
		types.Universe.Insert(object)
	}
}
