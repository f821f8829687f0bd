package paper

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// SummarySuffix is the end of the name of a figure's file that has summaries instead of observations: where the samples of
// latencies are too many to be kept.
const SummarySuffix = "-summary.csv"

var summaryHeader = []string{"source", "phase", "measure", "series", "x", "n", "runs", "mean", "std", "median", "min", "max", "p99", "unit",
	"cores", "flags"}

// EncodeSummaries is a table of summaries, one line each.
func EncodeSummaries(all []Summary) ([]byte, error) {
	rows := [][]string{summaryHeader}
	for _, s := range all {
		row := []string{string(s.Source), s.Phase, s.Measure, s.Series, strconv.Itoa(s.X), strconv.Itoa(s.N), strconv.Itoa(s.Runs)}
		for _, v := range []float64{s.Mean, s.Std, s.Median, s.Min, s.Max, s.P99} {
			row = append(row, decimal(v))
		}
		rows = append(rows, append(row, s.Unit, strconv.Itoa(s.Cores), strings.Join(s.Flags, " ")))
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return b.Bytes(), nil
}

// DecodeSummaries reads what EncodeSummaries wrote; numbers have three digits behind the point.
func DecodeSummaries(text []byte) (all []Summary, err error) {
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("paper: summaries: %w", err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], summaryHeader) {
		return nil, fmt.Errorf("paper: summaries: expected the columns %s", strings.Join(summaryHeader, ","))
	}
	for i, row := range rows[1:] {
		s := Summary{Source: Source(row[0]), Phase: row[1], Measure: row[2], Series: row[3], Unit: row[13], Flags: strings.Fields(row[15])}
		for column, to := range map[int]*int{4: &s.X, 5: &s.N, 6: &s.Runs, 14: &s.Cores} {
			if *to, err = strconv.Atoi(row[column]); err != nil {
				return nil, fmt.Errorf("paper: summaries: line %d: %w", i+2, err)
			}
		}
		for column, to := range map[int]*float64{7: &s.Mean, 8: &s.Std, 9: &s.Median, 10: &s.Min, 11: &s.Max, 12: &s.P99} {
			if *to, err = strconv.ParseFloat(row[column], 64); err != nil {
				return nil, fmt.Errorf("paper: summaries: line %d: %w", i+2, err)
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// ReadSummaries are those of a figure: as they were kept, or of its observations.
func ReadSummaries(dir string, f Figure) ([]Summary, error) {
	name := filepath.Join(dir, f.File(SummarySuffix))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		all, err := ReadObservations(dir, f.ID)
		return Summarize(all), err
	}
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	all, err := DecodeSummaries(text)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, name)
	}
	return all, nil
}
