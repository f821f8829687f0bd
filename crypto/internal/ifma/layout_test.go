package ifma

import (
	"reflect"
	"testing"
)

// Everything that kernels read and write as vectors begins on a cache line: an operand across two lines costs twice.
func TestMemoryIsAligned(t *testing.T) {
	vectors := map[reflect.Type]bool{
		reflect.TypeFor[[Lanes]uint64](): true, reflect.TypeFor[Element](): true, reflect.TypeFor[Words](): true,
		reflect.TypeFor[combTable](): true, reflect.TypeFor[[maxBucketBytes]byte](): true, reflect.TypeFor[CachedPoint](): true,
	}
	var check func(name string, at uintptr, what reflect.Type)
	check = func(name string, at uintptr, what reflect.Type) {
		switch {
		case vectors[what]:
			if at%cacheLineBytes != 0 {
				t.Errorf("%s lies %d bytes behind a cache line", name, at%cacheLineBytes)
			}
		case what.Kind() == reflect.Struct:
			for i := range what.NumField() {
				f := what.Field(i)
				check(name+"."+f.Name, at+f.Offset, f.Type)
			}
		case what.Kind() == reflect.Array && what.Len() > 0:
			check(name+"[0]", at, what.Elem())
			check(name+"[1]", at+what.Elem().Size(), what.Elem())
		}
	}
	check("Scratch", 0, reflect.TypeFor[Scratch]())
	check("Sum", 0, reflect.TypeFor[Sum]())
}
