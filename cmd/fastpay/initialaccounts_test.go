package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"fastpay/codec"
)

const testAddress = "VY7aC/UoAr5/7RA9OGC6g6HwkQA1dq0arteAGyOIQ34="

func TestInitialAccounts(t *testing.T) {
	const other = "GK7TDG1H85FbyqgulGZ4LxCTyMKyHBMfx/w/R/kyLHU="
	good := func(text string, want ...string) {
		t.Helper()
		a, _, err := parseInitialAccounts(strings.NewReader(text), 0)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		var got []string
		for address, balance := range a.all() {
			got = append(got, codec.FormatAddress(&address)+" "+balance.String())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
	bad := func(text string, wantLine int, wantError string) {
		t.Helper()
		_, line, err := parseInitialAccounts(strings.NewReader(text), 0)
		if err == nil || line != wantLine || !strings.Contains(err.Error(), wantError) {
			t.Errorf("%q: line %d, %v; want line %d, %q", text, line, err, wantLine, wantError)
		}
	}
	good("")
	good(testAddress+":100\n", testAddress+" 100")
	good(testAddress+":0\n"+other+":18446744073709551615\n", testAddress+" 0", other+" 18446744073709551615")
	good(testAddress+":100\r\n"+other+":1", testAddress+" 100", other+" 1")
	good(testAddress+":170141183460469231731687303715884105727\n", testAddress+" 170141183460469231731687303715884105727")
	bad("\n", 1, "expected ADDRESS:BALANCE")
	bad(testAddress+"\n", 1, "expected ADDRESS:BALANCE")
	bad(testAddress+":\n", 1, "expected ADDRESS:BALANCE")
	bad(testAddress+":1\n"+other+" 1\n", 2, "expected ADDRESS:BALANCE")
	bad(testAddress+":1\n"+testAddress+":1\n", 2, "second time")
	bad(testAddress+":1\n"+other+":1\n"+other+":2\n"+testAddress+":1\nno account\n", 3, "account "+other+" is here a second time")
	bad(testAddress+":1\nno account\n"+testAddress+":1\n", 2, "expected ADDRESS:BALANCE")
	bad("!"+testAddress[1:]+":1\n", 1, "")
	bad(testAddress+":-1\n", 1, "negative")
	bad(testAddress+":1.5\n", 1, "")
	bad(testAddress+": 1\n", 1, "")
	bad(testAddress+":170141183460469231731687303715884105728\n", 1, "128-bit")
	bad(testAddress+":1\n"+strings.Repeat("x", 1<<20), 2, "expected ADDRESS:BALANCE")
}

// TestRepeatsMatchMap compares with a map, for lists that are longer than was said, and repeat near and far.
func TestRepeatsMatchMap(t *testing.T) {
	f := func(size, hint, from, to int) { // the address at place to is that at place from; neither is one for none
		t.Helper()
		list := make([]codec.Address, size)
		for i := range list {
			binary.LittleEndian.PutUint64(list[i][24:], uint64(i)) // all begin alike
		}
		want := -1
		if to < size {
			list[to] = list[from]
		}
		seen := make(map[codec.Address]bool)
		for i, a := range list {
			if seen[a] {
				want = i
				break
			}
			seen[a] = true
		}
		r := lookForRepeats(hint)
		for n := repeatsEvery; n < size; n += repeatsEvery {
			r.lists <- list[:n]
		}
		if got := r.end(list); got != want {
			t.Errorf("%d addresses, %d expected, %d at %d: got %d, want %d", size, hint, from, to, got, want)
		}
	}
	f(0, 0, 0, 0)
	f(1, 0, 0, 1)
	f(2, 0, 0, 1)
	for _, hint := range []int{0, 10, 50_000, 1 << 20} {
		f(50_000, hint, 0, 50_000)
		f(50_000, hint, 0, 49_999)
		f(50_000, hint, 49_998, 49_999)
		f(50_000, hint, 3, repeatsEvery)
		f(50_000, hint, repeatsEvery-1, repeatsEvery+1)
	}
}

func FuzzInitialAccounts(f *testing.F) {
	f.Add([]byte(testAddress + ":100\n"))
	f.Add([]byte(testAddress + ":-1\n\n"))
	f.Add([]byte(testAddress + ":100\r\n" + testAddress))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, line, err := parseInitialAccounts(bytes.NewReader(text), 0)
		if limit := bytes.Count(text, []byte("\n")) + 2; line < 0 || line > limit {
			t.Fatalf("line %d of fewer than %d", line, limit)
		}
		if err != nil {
			return
		}
		// What was read, written again, reads the same.
		var again bytes.Buffer
		for address, balance := range a.all() {
			fmt.Fprintf(&again, "%s:%s\n", codec.FormatAddress(&address), balance)
		}
		b, _, err := parseInitialAccounts(&again, 0)
		if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%v differs from %v, %v", a, b, err)
		}
	})
}

// BenchmarkInitialAccounts reads a file of a million lines, which a server may take 5 s for, its tables included.
func BenchmarkInitialAccounts(b *testing.B) {
	const lines = 1_000_000
	var text []byte
	for i := range uint64(lines) {
		var address codec.Address
		binary.LittleEndian.PutUint64(address[:], i*0x9e3779b97f4a7c15)
		text = append(append(codec.AppendAddress(text, &address), ":100"...), '\n')
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, line, err := parseInitialAccounts(bytes.NewReader(text), len(text)/shortestAccountLine); err != nil {
			b.Fatal(line, err)
		}
	}
}
