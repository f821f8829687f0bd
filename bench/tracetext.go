package bench

import (
	"strings"
)

// textNumber is a piece of a report's own text that has digits, and what they are. A number that is measured has no place
// here.
type textNumber struct{ phrase, what string }

// textNumbers are all of them. A test holds that each stands in a report.
var textNumbers = []textNumber{
	{"p50 / p99 / p99.9", "name of a percentile"},
	{"p50 / p99", "name of a percentile"},
	{"p50", "name of a percentile"},
	{"p90", "name of a percentile"},
	{"p99", "name of a percentile"},
	{"samples of 10 ms", "how often Go's CPU profile takes a sample"},
	{"batch of 8 | 16 | 64 | 256 | 1,024", "batches of the benchmarks"},
	{"Batches of 1,024", "batch of the benchmarks"},
	{"none bad | 1 % | 3 % | 30 % | 100 %", "shares of bad signatures in the benchmarks"},
	{"one of 20 keys", "keys of the benchmark"},
	{`"over 80,000 tx/s with 20 authorities" and "160,000"`, "the paper's abstract and section 6"},
	{`"over 80,000 tx/s with 20 authorities" |`, "the paper's abstract"},
	{`"160,000" |`, "the paper's section 6"},
	{"on 48 cores", "the paper's machine, m5d.metal"},
	{"per core of 48", "the paper's machine, m5d.metal"},
	{"Figure 7, 75 shards", "the paper's figure"},
	{"1,000 in flight; means of 9 runs", "the paper's experiment, and the published logs"},
	{"1/(1/orders + 1/confirmations)", "a formula"},
}

// coveredWords says for the words of a line what the phrase of textNumbers is that covers it.
func coveredWords(line string) map[int]string {
	covered := make(map[int]string)
	for _, t := range textNumbers {
		for from := 0; ; {
			i := strings.Index(line[from:], t.phrase)
			if i < 0 {
				break
			}
			from += i + len(t.phrase)
			first := len(strings.Fields(line[:from-len(t.phrase)]))
			if before := line[:from-len(t.phrase)]; before != "" && !strings.HasSuffix(before, " ") {
				first-- // it begins within a word
			}
			for w := range strings.Fields(line[from-len(t.phrase) : from]) {
				covered[first+w] = t.what
			}
		}
	}
	return covered
}

// paperNumbers are the numbers of the paper that a report shows, as it shows them.
func paperNumbers() (map[string]string, error) {
	points, err := paperPoints()
	if err != nil {
		return nil, err
	}
	numbers := make(map[string]string)
	add := func(p paperPoint) {
		for _, v := range []float64{p.orders, p.confirmations, p.payments(), p.payments() / paperCores, p.orders / paperCores,
			p.confirmations / paperCores} {
			numbers[grouped(int(v))] = "the paper's Figure 7: bench/testdata/paper/committee.csv"
		}
	}
	for committee := range points[len(points)-1].committee + 1 {
		if p, ok := paperAt(points, committee); ok {
			add(p)
		}
	}
	return numbers, nil
}
