package paper

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Source is who measured.
type Source string

// The two sources.
const (
	Ours  Source = "ours"
	Paper Source = "paper"
)

// Measures of an observation.
const (
	Rate    = "rate"
	Quorum  = "quorum"  // latency until a quorum has answered: what a client waits for
	AllLive = "all"     // latency until all authorities that are up have answered: what the paper has
	Single  = "single"  // time of an operation, one at a time
	Batched = "batched" // the same, for each of many at once
)

// Observation is one run's rate, one order's latency, or one time of an operation; of the paper, the mean of its runs.
type Observation struct {
	Figure     string
	Source     Source
	Phase      string // of Table 1: the operation
	Measure    string
	Series     string
	X          int
	Repetition int // 0 of the paper
	Sample     int // of a latency, within its repetition; else 0
	N          int // runs or samples that it is the mean of
	Value      float64
	Std        float64 // population standard deviation, when N > 1
	Unit       string
	Cores      int    // of the machine, for rates; else 0
	Flags      string // of the result, with spaces
	File       string // in the run's folder
	Commit     string
}

// PerCore is the rate for each core of its machine; 0 when it is no rate.
func (o *Observation) PerCore() float64 {
	if o.Cores == 0 {
		return 0
	}
	return o.Value / float64(o.Cores)
}

var observationHeader = []string{"figure", "source", "phase", "measure", "series", "x", "repetition", "sample", "n", "value",
	"std", "unit", "per_core", "cores", "flags", "file", "commit"}

// EncodeCSV is a table of observations, one line each.
func EncodeCSV(all []Observation) ([]byte, error) {
	rows := [][]string{observationHeader}
	for _, o := range all {
		perCore, std := "", ""
		if o.Cores > 0 {
			perCore = decimal(o.PerCore())
		}
		if o.N > 1 {
			std = decimal(o.Std)
		}
		rows = append(rows, []string{o.Figure, string(o.Source), o.Phase, o.Measure, o.Series, strconv.Itoa(o.X),
			strconv.Itoa(o.Repetition), strconv.Itoa(o.Sample), strconv.Itoa(o.N), decimal(o.Value), std, o.Unit, perCore,
			strconv.Itoa(o.Cores), o.Flags, o.File, o.Commit})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return b.Bytes(), nil
}

// decimal is v without an exponent and with no more digits than it needs, at most three behind the point.
func decimal(v float64) string {
	text := strconv.FormatFloat(v, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// ReadObservations reads those of a figure from a run's folder.
func ReadObservations(dir, figure string) ([]Observation, error) {
	found, err := FindFigures(figure)
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("paper: there is no figure %q", figure)
	}
	name := filepath.Join(dir, found[0].File(".csv"))
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	all, err := DecodeCSV(text)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, name)
	}
	return all, nil
}

// DecodeCSV reads what EncodeCSV wrote.
func DecodeCSV(text []byte) (all []Observation, err error) {
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("paper: observations: %w", err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], observationHeader) {
		return nil, fmt.Errorf("paper: observations: expected the columns %s", strings.Join(observationHeader, ","))
	}
	for i, row := range rows[1:] {
		o, err := decodeRow(row)
		if err != nil {
			return nil, fmt.Errorf("paper: observations: line %d: %w", i+2, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func decodeRow(row []string) (o Observation, err error) {
	o = Observation{Figure: row[0], Source: Source(row[1]), Phase: row[2], Measure: row[3], Series: row[4], Unit: row[11],
		Flags: row[14], File: row[15], Commit: row[16]}
	for _, field := range [...]struct {
		column int
		to     *int
	}{{5, &o.X}, {6, &o.Repetition}, {7, &o.Sample}, {8, &o.N}, {13, &o.Cores}} {
		if *field.to, err = strconv.Atoi(row[field.column]); err != nil {
			return o, err
		}
	}
	if o.Value, err = strconv.ParseFloat(row[9], 64); err != nil {
		return o, err
	}
	if row[10] != "" {
		o.Std, err = strconv.ParseFloat(row[10], 64)
	}
	return o, err
}
