package bench

import (
	"math"
	"regexp"
	"strings"

	"fastpay/bench/paper"
)

// textNumber is a piece of a report's own text that has digits, as a regular expression, and what they are. A number that is
// measured has no place here.
type textNumber struct {
	form *regexp.Regexp
	what string
}

func phrase(text, what string) textNumber { return form(regexp.QuoteMeta(text), what) }

func form(expression, what string) textNumber {
	return textNumber{regexp.MustCompile(expression), what}
}

// textNumbers are all of them. A test holds that each stands in a report.
var textNumbers = []textNumber{
	form(`p50 / p99( / p99\.9)?`, "name of a percentile"),
	form(`\bp(50|90|99)\b`, "name of a percentile"),
	form(`\| (none|async|sync) \| [0-9]+ \|`, "how often a run took its turn: files of durability/turns"),
	phrase("Waits beyond 5 ms", "the longest pause that a snapshot may cause"),
	phrase("samples of 10 ms", "how often Go's CPU profile takes a sample"),
	phrase("batch of 8 | 16 | 64 | 256 | 1,024", "batches of the benchmarks"),
	phrase("Batches of 1,024", "batch of the benchmarks"),
	phrase("none bad | 1 % | 3 % | 30 % | 100 %", "shares of bad signatures in the benchmarks"),
	phrase("one of 20 keys", "keys of the benchmark"),
	phrase("1/(1/orders + 1/confirmations)", "a formula"),
	form(`["“]over 80,000 tx/s with 20 authorities["”]( and "160,000")?`, "the paper's abstract and section 6"),
	form(`"160,000" \|`, "the paper's section 6"),
	phrase("“up to 160,000 tx/s”", "the paper's section 6"),
	form(`(per core of|on) 48`, "the paper's machine, m5d.metal"),
	phrase("m5d.metal, 48 cores, 96 threads", "the paper's machine"),
	phrase("Figure 7, 75 shards", "the paper's figure"),
	phrase("1,000 in flight; means of 9 runs", "the paper's experiment, and the published logs"),
	form(`### (Figure|Table) [0-9]+:`, "name of a figure"),
	form(`--figure (table)?[0-9]+`, "name of a figure"),
	form(`orders/s \| (4|20) \|`, "authorities of the paper's headline"),
	form(`payments/s \| (4|20) \|`, "authorities of the paper's headline"),
	phrase("(between 19 and 22 authorities, 75 shards)", "points of the paper's Figure 7"),
	phrase("Crashed authorities of 10", "the paper's Table 2"),
	form(`\| no certificate: .* \| 0 \|`, "orders that were certified without a quorum"),
}

// coveredWords says for the words of a line what the phrase of textNumbers is that covers it.
func coveredWords(line string) map[int]string {
	covered := make(map[int]string)
	for _, t := range textNumbers {
		for _, at := range t.form.FindAllStringIndex(line, -1) {
			first := len(strings.Fields(line[:at[0]]))
			if at[0] > 0 && line[at[0]-1] != ' ' {
				first-- // it begins within a word
			}
			for w := range strings.Fields(line[at[0]:at[1]]) {
				covered[first+w] = t.what
			}
		}
	}
	return covered
}

// paperNumbers are the numbers of the paper that a report shows without a file of the run directory, as it shows them: rates, which are
// too large to be something else by chance.
func paperNumbers() (map[string]string, error) {
	const least = 1000
	numbers := make(map[string]string)
	add := func(what string, rates ...float64) {
		for _, v := range rates {
			for _, v := range []float64{v, v / paperCores} {
				if v >= least {
					numbers[grouped(int(v))] = what
					numbers[grouped(int(math.Round(v)))] = what
				}
			}
		}
	}
	points, err := paperPoints()
	if err != nil {
		return nil, err
	}
	for committee := range points[len(points)-1].committee + 1 {
		if p, ok := paperAt(points, committee); ok {
			add("the paper's Figure 7: bench/paper/data/throughput.csv", p.orders, p.confirmations, p.payments())
		}
	}
	rows, err := paper.Headline(nil)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		add("the paper's data: bench/paper/data/throughput.csv", r.Theirs)
	}
	return numbers, nil
}
