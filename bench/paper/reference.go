package paper

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The paper's data: means and population standard deviations, of 9 runs each for rates, of 50 orders each for latencies
// over a WAN, of 5 runs for Table 1. Recomputed from the raw logs that the prototype's authors published, with the samples
// that their plots left out; crash.csv and the columns of times.csv that are used are Tables 2 and 1 as printed, whose logs are not there.
var (
	//go:embed data/throughput.csv
	throughputData string
	//go:embed data/latency.csv
	latencyData string
	//go:embed data/crash.csv
	crashData string
	//go:embed data/times.csv
	timesData string
)

// What the paper measured with.
const (
	Cores   = 48 // physical, 96 threads, of an m5d.metal; rates
	Machine = "m5d.metal, 48 cores, 96 threads"
)

// UK and USWest are where the paper's clients were. It does not tell where that of Table 2 was: its latencies are those of
// the U.K.
const (
	UK     = "U.K."
	USWest = "U.S. West Coast"
)

// Operations are the rows of Table 1, in its order; the names are those of phases of its observations.
var Operations = []string{"create order", "create vote", "create certificate", "check order", "check vote", "check certificate"}

// OperationName is what Table 1 calls an operation.
func OperationName(operation string) string {
	verb, what, _ := strings.Cut(operation, " ")
	if verb == "create" {
		return "Create & serialize " + what
	}
	return "Deserialize & check " + what
}

// timesRows are the names of Operations in the paper's data.
var timesRows = []string{"write_order", "write_vote", "write_cert", "read_and_check_order", "read_and_check_vote",
	"read_and_check_cert"}

// Reference is what the paper measured for a figure.
func Reference(f Figure) ([]Observation, error) {
	all, err := reference()
	if err != nil {
		return nil, err
	}
	var some []Observation
	for _, o := range all {
		if o.Figure == f.ID {
			some = append(some, o)
		}
	}
	return some, nil
}

// reference reads all of the data once.
var reference = sync.OnceValues(func() (all []Observation, err error) {
	for _, part := range [...]struct {
		name, text string
		take       func(row map[string]string) ([]Observation, error)
	}{
		{"throughput", throughputData, takeThroughput},
		{"latency", latencyData, takeLatency},
		{"crash", crashData, takeCrash},
		{"times", timesData, takeTimes},
	} {
		rows, err := csv.NewReader(strings.NewReader(part.text)).ReadAll()
		if err != nil {
			return nil, fmt.Errorf("paper: data of %s: %w", part.name, err)
		}
		for _, row := range rows[1:] {
			named := make(map[string]string, len(row))
			for i, column := range rows[0] {
				named[column] = row[i]
			}
			some, err := part.take(named)
			if err != nil {
				return nil, fmt.Errorf("paper: data of %s: %w", part.name, err)
			}
			all = append(all, some...)
		}
	}
	return all, nil
})

// numbers reads columns of a row.
func numbers(row map[string]string, columns ...string) (v []float64, err error) {
	for _, column := range columns {
		n, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			return nil, err
		}
		v = append(v, n)
	}
	return v, nil
}

func takeThroughput(row map[string]string) ([]Observation, error) {
	v, err := numbers(row, "mean", "std_pop", "n", "committee", "shards")
	if err != nil {
		return nil, err
	}
	o := Observation{Source: Paper, Measure: Rate, Value: v[0], Std: v[1], N: int(v[2]), X: int(v[4]), Cores: Cores}
	o.Phase = map[string]string{"transfer": Orders, "confirmation": Confirmations}[row["phase"]]
	o.Unit = UnitOf(o.Phase)
	var figures []string
	switch row["experiment"] {
	case "fig5_6_inflight":
		o.Series, figures = row["in_flight"], []string{"5", "6"}
	case "fig11_12_load":
		o.Series, figures = row["load"], []string{"11", "12"}
	case "fig7_committee":
		o.Series, o.X, figures = row["shards"], int(v[3]), []string{"7"}
	default:
		return nil, fmt.Errorf("experiment %q", row["experiment"])
	}
	var all []Observation
	for _, id := range figures {
		f, err := FindFigures(id)
		if err != nil {
			return nil, err
		}
		if o.Figure = id; slices.Contains(f[0].Phases, o.Phase) {
			all = append(all, o)
		}
	}
	return all, nil
}

// UnitOf is the unit of a phase's rate.
func UnitOf(phase string) string { return phase + "/s" }

func takeLatency(row map[string]string) ([]Observation, error) {
	v, err := numbers(row, "mean", "std_pop", "n", "committee")
	if err != nil {
		return nil, err
	}
	o := Observation{Figure: "8", Source: Paper, Phase: row["phase"], Measure: AllLive, Series: row["location"], Value: v[0], Std: v[1],
		N: int(v[2]), X: int(v[3]), Unit: "ms"}
	if o.Phase == Confirmation {
		o.Figure = "9"
	}
	return []Observation{o}, nil
}

// RoundTripMs is the round trip to a location: the lesser of the paper's two medians with one authority, which has hardly
// anything but the way in it.
func RoundTripMs(location string) (float64, error) {
	rows, err := csv.NewReader(strings.NewReader(latencyData)).ReadAll()
	if err != nil {
		return 0, fmt.Errorf("paper: data of latency: %w", err)
	}
	place, committee, median := slices.Index(rows[0], "location"), slices.Index(rows[0], "committee"), slices.Index(rows[0], "median")
	least := 0.0
	for _, row := range rows[1:] {
		if row[place] != location || row[committee] != "1" {
			continue
		}
		v, err := strconv.ParseFloat(row[median], 64)
		if err != nil {
			return 0, fmt.Errorf("paper: data of latency: %w", err)
		}
		if least == 0 || v < least {
			least = v
		}
	}
	if least == 0 {
		return 0, fmt.Errorf("paper: there is no location %q, there are %s, %s", location, UK, USWest)
	}
	return least, nil
}

// crashSamples is the number of orders behind each figure of Table 2; the paper does not tell it, and has 50 elsewhere.
const crashSamples = 50

func takeCrash(row map[string]string) ([]Observation, error) {
	v, err := numbers(row, "latency_mean_ms", "latency_std_ms", "crashed_f")
	if err != nil {
		return nil, err
	}
	return []Observation{{Figure: "table2", Source: Paper, Phase: Certificate, Measure: AllLive, Series: UK, Value: v[0], Std: v[1],
		X: int(v[2]), N: crashSamples, Unit: "ms"}}, nil
}

func takeTimes(row map[string]string) ([]Observation, error) {
	v, err := numbers(row, "paper_table1_mean_us", "paper_table1_std_us")
	if err != nil {
		return nil, err
	}
	i := slices.Index(timesRows, row["measure"])
	if i < 0 {
		return nil, fmt.Errorf("operation %q", row["measure"])
	}
	return []Observation{{Figure: "table1", Source: Paper, Phase: Operations[i], Measure: Single, Value: v[0], Std: v[1], N: 5,
		Unit: "µs"}}, nil
}
