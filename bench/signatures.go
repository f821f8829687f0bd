package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SignatureTimes is what 'go test -bench' of package crypto printed: the time for a signature by benchmark, in
// microseconds, one for each time that it ran.
type SignatureTimes struct {
	CPU, Arch       string
	Commit, Command string // "" when the file does not say
	times           map[string][]float64
	order           []string // of benchmarks, as printed
}

// signatureUnit is the metric that is read.
const signatureUnit = "µs/signature"

// procsSuffix is what the testing package appends to names where more than one processor may be used.
var procsSuffix = regexp.MustCompile(`-\d+$`)

// ReadSignatureTimes reads the output of 'go test -bench'. A file without any time of a signature is an error.
func ReadSignatureTimes(name string) (*SignatureTimes, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	s := &SignatureTimes{times: make(map[string][]float64)}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		for key, to := range map[string]*string{"cpu": &s.CPU, "goarch": &s.Arch, "commit": &s.Commit, "command": &s.Command} {
			if v, ok := strings.CutPrefix(line, key+": "); ok {
				*to = v
			}
		}
		fields := strings.Fields(line)
		at := slices.Index(fields, signatureUnit)
		if at < 2 || !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		us, err := strconv.ParseFloat(fields[at-1], 64)
		if err != nil || us <= 0 {
			return nil, fmt.Errorf("bench: %s: %q is no time of a signature", name, fields[at-1])
		}
		benchmark := procsSuffix.ReplaceAllString(fields[0], "")
		if s.times[benchmark] == nil {
			s.order = append(s.order, benchmark)
		}
		s.times[benchmark] = append(s.times[benchmark], us)
	}
	if len(s.times) == 0 {
		return nil, fmt.Errorf("bench: %s: expected the output of 'go test -bench' with times in %s, and there are none", name,
			signatureUnit)
	}
	return s, nil
}

// median is the time by which a benchmark is known; false if it did not run.
func (s *SignatureTimes) median(benchmark string) (us float64, ok bool) {
	times := slices.Sorted(slices.Values(s.times[benchmark]))
	if len(times) == 0 {
		return 0, false
	}
	return (times[(len(times)-1)/2] + times[len(times)/2]) / 2, true
}

// spread is the largest difference of a time from its median, as a part of that, over all benchmarks.
func (s *SignatureTimes) spread() (largest float64) {
	for name, times := range s.times {
		m, _ := s.median(name)
		largest = max(largest, slices.Max(times)/m-1, 1-slices.Min(times)/m)
	}
	return largest
}

// howOften says what a time is.
func (s *SignatureTimes) howOften() string {
	for _, times := range s.times {
		if len(times) > 1 {
			return fmt.Sprintf("Medians; no single run is further than %.0f %% from its median.", 100*s.spread())
		}
	}
	return "Each was run once."
}

// backends are those that ran, in order.
func (s *SignatureTimes) backends() (names []string) {
	for _, name := range s.order {
		if _, b, ok := strings.Cut(name, "/backend="); ok && !slices.Contains(names, b) {
			names = append(names, b)
		}
	}
	return names
}

// signatureRow is one line of the table: a benchmark up to its batch.
type signatureRow struct{ title, benchmark string }

var (
	signatureRows = []signatureRow{
		{"vote, one of 20 keys", "BenchmarkVote/keys=20"},
		{"order, distinct senders, key cached", "BenchmarkOrder/keys=known"},
		{"order, distinct senders, key new", "BenchmarkOrder/keys=new"},
		{"signing a vote", "BenchmarkSign"},
	}
	signatureBatches = []int{1, 8, 16, 64, 256, 1024}
	badShares        = []int{0, 1, 3, 30, 100}
)

// badBatch is the size of the batches with bad signatures in them.
const badBatch = 1024

func (s *SignatureTimes) render() string {
	var b strings.Builder
	fmt.Fprintf(&b, `## Signatures

Time for a signature on one core, in µs: everything between handing a batch to package crypto and its verdicts, hashing
included. %s %s, %s.

| Backend | | alone | batch of 8 | 16 | 64 | 256 | 1,024 |
|---|---|---:|---:|---:|---:|---:|---:|
`, s.howOften(), s.CPU, s.Arch)
	for _, backend := range s.backends() {
		for _, row := range signatureRows {
			s.renderRow(&b, backend, row)
		}
	}
	b.WriteString("\nBatches of 1,024 of which a share is bad, one after the other: in brackets how many times as long as a good one.\n\n" +
		"| Backend | of | none bad | 1 % | 3 % | 30 % | 100 % |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, backend := range s.backends() {
		for _, kind := range []string{"votes", "orders"} {
			s.renderBad(&b, backend, kind)
		}
	}
	if s.Commit != "" {
		fmt.Fprintf(&b, "\nMeasured at commit %.12s by `%s`.\n", s.Commit, s.Command)
	}
	b.WriteString("\nTo repeat it: `./bench.sh --crypto`, or\n\n    go test -run '^$' -bench '^Benchmark(Vote|Order|Sign|Bad)$' ./crypto\n")
	return b.String()
}

// renderRow writes a line, unless none of it was measured.
func (s *SignatureTimes) renderRow(b *strings.Builder, backend string, row signatureRow) {
	line, any := fmt.Sprintf("| %s | %s |", backend, row.title), false
	for _, batch := range signatureBatches {
		us, ok := s.median(fmt.Sprintf("%s/batch=%d/backend=%s", row.benchmark, batch, backend))
		if any = any || ok; ok {
			line += fmt.Sprintf(" %s |", shortTime(us))
		} else {
			line += " |"
		}
	}
	if any {
		b.WriteString(line + "\n")
	}
}

func (s *SignatureTimes) renderBad(b *strings.Builder, backend, kind string) {
	name := func(share int) string {
		return fmt.Sprintf("BenchmarkBad/of=%s/bad=%d/batch=%d/backend=%s", kind, share, badBatch, backend)
	}
	good, ok := s.median(name(0))
	if !ok {
		return
	}
	fmt.Fprintf(b, "| %s | %s | %s |", backend, kind, shortTime(good))
	for _, share := range badShares[1:] {
		us, ok := s.median(name(share))
		if !ok {
			b.WriteString(" |")
			continue
		}
		fmt.Fprintf(b, " %s (%.1f) |", shortTime(us), us/good)
	}
	b.WriteString("\n")
}

// shortTime has two or three digits that count.
func shortTime(us float64) string {
	if us < 10 {
		return fmt.Sprintf("%.2f", us)
	}
	return fmt.Sprintf("%.1f", us)
}
