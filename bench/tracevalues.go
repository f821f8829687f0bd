package bench

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fastpay/bench/paper"
)

// change is one of several ways to change the values of a file. One alone may not show everywhere: a digit is rounded, a ratio
// stays.
type change int

const (
	proportional change = iota // nearly; equal values stay equal, and larger ones larger
	curved                     // as that, but not in proportion, which changes ratios
	scattered                  // each value in another way, which changes what was equal or nearly so, but for chance
	scattered2
	scattered3
	repeated // lines of tables stand twice, as if there had been another repetition, which changes how many there are
	numChanges
)

// changedValues is the text of a file of a run directory with every number changed, those within texts too. What names a thing,
// as the names of fields, benchmarks, and of what a run is, stays. ok is false for kinds of files that no report reads,
// or that can't be changed so.
func changedValues(name string, text []byte, how change) (other []byte, ok bool) {
	c := &changer{how: how}
	ext := filepath.Ext(name)
	switch how { // what brings nothing for such a file
	case scattered:
		ok = ext == ".json" || ext == ".txt"
	case scattered2, scattered3:
		ok = ext == ".txt" // which has many ratios
	case repeated:
		ok = ext == ".csv"
	default:
		ok = true
	}
	if !ok {
		return nil, false
	}
	switch ext {
	case ".json":
		other, err := c.json(text)
		return other, err == nil
	case ".csv":
		other, err := c.csv(text)
		return other, err == nil
	case ".md":
		return []byte(c.text(string(text))), true
	case ".txt":
		return c.benchmarks(text), true
	}
	return nil, false
}

// changer changes the values of one file.
type changer struct {
	how     change
	numbers int // that were changed
}

func (c *changer) value(v float64) float64 {
	c.numbers++
	switch c.how {
	case curved:
		return math.Copysign(math.Pow(math.Abs(v), 1.5), v)
	case scattered, scattered2, scattered3:
		return v * math.Pow(10, rand.New(rand.NewPCG(uint64(c.numbers), uint64(c.how))).Float64())
	}
	return 1.37 * v
}

// number changes a number as it is written: a whole one to a whole one.
func (c *changer) number(s string) string {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n < 1<<40 {
		return strconv.FormatInt(1+int64(c.how)+int64(c.value(float64(n))), 10)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(c.value(v)+0.61, 'g', -1, 64)
}

var digit = regexp.MustCompile(`[0-9]`)

// text changes every digit.
func (c *changer) text(s string) string {
	return digit.ReplaceAllStringFunc(s, func(d string) string { return string('0' + (d[0]-'0'+1+byte(c.how))%10) })
}

func (c *changer) json(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(c.within("", v))
}

// namesThings are fields whose values say what something is.
var namesThings = map[string]bool{"schema": true, "name": true, "id": true, "experiment": true, "csv": true,
	"kind": true, "scale": true, "state": true}

func (c *changer) within(field string, v any) any {
	if namesThings[field] {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			v[key] = c.within(key, v[key])
		}
	case []any:
		for i, inner := range v {
			v[i] = c.within(field, inner)
		}
	case json.Number:
		return json.Number(c.number(v.String()))
	case string:
		return c.text(v)
	}
	return v
}

// namingColumns are those of CSV files whose values say what a line is.
var namingColumns = map[string]bool{"figure": true, "source": true, "phase": true, "measure": true, "unit": true}

func (c *changer) csv(text []byte) ([]byte, error) {
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if c.how == repeated {
		rows = again(rows)
	}
	for i, row := range rows {
		for k, cell := range row {
			if c.how == repeated || i == 0 || namingColumns[rows[0][k]] {
				continue
			}
			if row[k] = c.number(cell); row[k] == cell {
				row[k] = c.text(cell)
			}
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err = w.WriteAll(rows)
	return b.Bytes(), err
}

// again is a table with each line of ours twice, the second time of another repetition.
func again(rows [][]string) [][]string {
	repetition, source := slices.Index(rows[0], "repetition"), slices.Index(rows[0], "source")
	for _, row := range slices.Clone(rows[1:]) {
		if repetition >= 0 && source >= 0 && row[source] == string(paper.Ours) {
			row = slices.Clone(row)
			row[repetition] += "000"
			rows = append(rows, row)
		}
	}
	return rows
}

// benchmarks changes the output of 'go test -bench', but for the names of the benchmarks.
func (c *changer) benchmarks(text []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "Benchmark") {
			b.WriteString(c.text(line))
			continue
		}
		fields := strings.Fields(line)
		for i := range fields[1:] {
			fields[1+i] = c.number(fields[1+i])
		}
		b.WriteString(strings.Join(fields, "\t") + "\n")
	}
	return []byte(b.String())
}
