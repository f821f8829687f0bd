package paper

import (
	"fmt"
	"slices"
	"strings"
)

// Names of experiments: sets of runs, of which one figure or two are drawn.
const (
	Times     = "times"     // Table 1
	InFlight  = "inflight"  // Figures 5 and 6
	Load      = "load"      // Figures 11 and 12
	Committee = "committee" // Figure 7
	WAN       = "wan"       // Figures 8 and 9
	Crash     = "crash"     // Table 2
)

// Phases, as observations name them.
const (
	Orders        = "orders"
	Confirmations = "confirmations"
	Payments      = "payments" // both phases together: order, vote, certificate, debit, credit
	Transfer      = "transfer"
	Confirmation  = "confirmation"
	Certificate   = "certificate" // from order to certificate
)

// Figure is a figure or a table of the paper.
type Figure struct {
	ID         string // on the command line: table1, 5, ...
	Experiment string
	Title      string
	Phase      string   // that the figure draws
	Phases     []string // that its table has; the first is Phase
	XLabel     string
	YLabel     string
	Series     string // what differs between its series
}

// Figures are all, in the order in which they are run: those that take little time come first.
var Figures = []Figure{
	{"table1", Times, "Time of single operations", "", nil, "", "µs", ""},
	{"7", Committee, "Confirmation orders per second, over the committee's size", Confirmations,
		[]string{Confirmations, Orders, Payments}, "Committee size", "Confirmation orders/s", "shards"},
	{"5", InFlight, "Transfer orders per second, over shards and orders in flight", Orders, []string{Orders}, "Shards",
		"Transfer orders/s", "in flight"},
	{"6", InFlight, "Confirmation orders per second, over shards and orders in flight", Confirmations,
		[]string{Confirmations, Payments}, "Shards", "Confirmation orders/s", "in flight"},
	{"11", Load, "Transfer orders per second, over shards and load", Orders, []string{Orders}, "Shards",
		"Transfer orders/s", "load"},
	{"12", Load, "Confirmation orders per second, over shards and load", Confirmations, []string{Confirmations, Payments},
		"Shards", "Confirmation orders/s", "load"},
	{"8", WAN, "Latency of transfer orders over a WAN, over the committee's size", Transfer, []string{Transfer},
		"Committee size", "Latency, ms", "client in"},
	{"9", WAN, "Latency of confirmation orders over a WAN, over the committee's size", Confirmation, []string{Confirmation},
		"Committee size", "Latency, ms", "client in"},
	{"table2", Crash, "Latency to a certificate with crashed authorities", Certificate, []string{Certificate},
		"Crashed authorities of 10", "Latency, ms", "client in"},
}

// All is the name that stands for every figure.
const All = "all"

// FindFigures is the figures of a list with commas, each once, in the order of Figures.
func FindFigures(list string) ([]Figure, error) {
	wanted := strings.Split(list, ",")
	for _, id := range wanted {
		if id != All && !slices.ContainsFunc(Figures, func(f Figure) bool { return f.ID == id }) {
			return nil, fmt.Errorf("paper: there is no figure %q, there are %s, %s", id, strings.Join(FigureIDs(), ", "), All)
		}
	}
	var found []Figure
	for _, f := range Figures {
		if slices.Contains(wanted, f.ID) || slices.Contains(wanted, All) {
			found = append(found, f)
		}
	}
	return found, nil
}

// FigureIDs lists what FindFigures takes.
func FigureIDs() (ids []string) {
	for _, f := range Figures {
		ids = append(ids, f.ID)
	}
	return ids
}

// Name is what the paper calls it.
func (f *Figure) Name() string {
	if number, ok := strings.CutPrefix(f.ID, "table"); ok {
		return "Table " + number
	}
	return "Figure " + f.ID
}

// IsTable reports whether the paper has a table of it.
func (f *Figure) IsTable() bool { return strings.HasPrefix(f.ID, "table") }

// File is the name of one of its files in the run's folder: suffix is .csv, .svg, -paper.svg, .md.
func (f *Figure) File(suffix string) string {
	if f.IsTable() {
		return f.ID + suffix
	}
	return "figure" + f.ID + suffix
}
