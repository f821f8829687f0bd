package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const benchmarkOutput = `goos: linux
goarch: amd64
pkg: fastpay/crypto
cpu: A Processor
BenchmarkVote/keys=20/batch=1/backend=voi-2         	 200	 6138 ns/op	 6.139 cpu-µs/signature	 6.100 µs/signature	 0 B/op	 0 allocs/op
BenchmarkVote/keys=20/batch=1/backend=voi-2         	 200	 6138 ns/op	 6.139 cpu-µs/signature	 6.300 µs/signature	 0 B/op	 0 allocs/op
BenchmarkVote/keys=20/batch=1/backend=voi-2         	 200	 6138 ns/op	 6.139 cpu-µs/signature	 9.200 µs/signature	 0 B/op	 0 allocs/op
BenchmarkOrder/keys=known/batch=1024/backend=ifma 	 200	 6138 ns/op	 0.939 cpu-µs/signature	 0.951 µs/signature	 0 B/op	 0 allocs/op
BenchmarkBad/of=votes/bad=0/batch=1024/backend=ifma 	 1	 1 ns/op	 0.500 µs/signature
BenchmarkBad/of=votes/bad=100/batch=1024/backend=ifma 	 1	 1 ns/op	 0.750 µs/signature
PASS
`

func writeBenchmarks(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "crypto.txt")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSignatureTimes(t *testing.T) {
	s, err := ReadSignatureTimes(writeBenchmarks(t, benchmarkOutput))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "RESULTS.md")
	for range 2 { // the second time its part is replaced
		if err := (&Report{Crypto: s}).Update(file); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| voi | vote, one of 20 keys | 6.30 | | | | | |\n",
		"| ifma | order, distinct senders, key cached | | | | | | 0.95 |\n",
		"| ifma | votes | 0.50 | | | | 0.75 (1.5) |\n",
		"further than 46 % from its median. A Processor, amd64.",
	} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("expected once: %s\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "signing") {
		t.Error("a row that was not measured")
	}
}

func TestSignatureTimesRefuses(t *testing.T) {
	for _, text := range []string{"", "PASS\n", strings.ReplaceAll(benchmarkOutput, "µs/signature", "ns/op"),
		"BenchmarkVote 1 x µs/signature\n", "BenchmarkVote 1 -3 µs/signature\n"} {
		if s, err := ReadSignatureTimes(writeBenchmarks(t, text)); err == nil {
			t.Errorf("%q: read as %v", text, s.times)
		}
	}
	if _, err := ReadSignatureTimes("nowhere"); err == nil {
		t.Error("read a file that is not there")
	}
}
