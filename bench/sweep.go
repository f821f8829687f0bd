package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// maxSweep bounds the points of a sweep: more take hours.
const maxSweep = 200

// ParseSweep reads "FROM:TO:STEP", rates of an open loop in payments a second.
func ParseSweep(text string) (rates []int, err error) {
	var n [3]int
	parts := strings.Split(text, ":")
	for i, part := range parts {
		if len(parts) != len(n) {
			break
		}
		if n[i], err = strconv.Atoi(part); err != nil {
			break
		}
	}
	from, to, step := n[0], n[1], n[2]
	if err != nil || from < 1 || to < from || step < 1 || to > maxRate {
		return nil, fmt.Errorf("bench: sweep %q: expected FROM:TO:STEP, payments a second, as in 20000:100000:20000", text)
	}
	if (to-from)/step >= maxSweep {
		return nil, fmt.Errorf("bench: sweep %q has %d points, expected at most %d", text, (to-from)/step+1, maxSweep)
	}
	for rate := from; rate <= to; rate += step {
		rates = append(rates, rate)
	}
	return rates, nil
}

// rateCurve is the name of the curve that a sweep is.
const rateCurve = "rate"

// RunSweep runs the open loop of o with each of the rates; all files go into dir, as RunCurve has them.
func RunSweep(ctx context.Context, o Options, rates []int, dir string, stderr io.Writer) (*Curve, error) {
	return RunCurve(ctx, o, rateCurve, rates, dir, stderr)
}

// WriteTable prints a line for each point of an open loop.
func (c *Curve) WriteTable(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "asked/s\tsent/s\tconfirmed/s\tp50 ms\tp90\tp99\tp99.9\tmax\tservice p99\tnode CPU µs\t")
	for _, p := range c.Points {
		writePoint(w, p)
	}
	return w.Flush()
}

// writePoint prints the columns of WriteTable, and what is wrong.
func writePoint(w io.Writer, p Point) {
	r := p.Result
	if r == nil || r.Load == nil {
		fmt.Fprintf(w, "%s\t\t\t\t\t\t\t\t\t\t%s\n", grouped(p.Value), p.LeftOut)
		return
	}
	l := r.latency()
	fmt.Fprintf(w, "%s\t%s\t%s\t", grouped(p.Value), grouped(int(r.Load.SentPerSec)), grouped(int(r.RatePerSec)))
	for _, us := range []*int64{l.P50, l.P90, l.P99, l.P999, l.Max, r.Load.ServiceUs.Confirmation.P99} {
		fmt.Fprintf(w, "%s\t", milliseconds(us))
	}
	fmt.Fprintf(w, "%.2f\t %s\n", r.CPUUsPerPayment.Node, strings.Join(r.Flags, ", "))
}

func milliseconds(us *int64) string {
	if us == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(*us)/1e3)
}

// curveFile is a curve in one file.
type curveFile struct {
	Schema int         `json:"schema"`
	Curve  string      `json:"curve"`
	SLO    string      `json:"slo,omitempty"`  // of a search
	Max    int         `json:"max_per_second"` // that a search found
	Points []pointJSON `json:"points"`         // in the order of the runs
}

type pointJSON struct {
	Value   int     `json:"value"`
	LeftOut string  `json:"left_out,omitempty"`
	Held    *bool   `json:"held,omitempty"` // in a search
	Result  *Result `json:"result,omitempty"`
}

// WriteFile writes all points into one file, as JSON.
func (c *Curve) WriteFile(name string) error {
	f := curveFile{Schema: schemaVersion, Curve: c.Name}
	for _, p := range c.Points {
		f.Points = append(f.Points, pointJSON{Value: p.Value, LeftOut: p.LeftOut, Result: p.Result})
	}
	return f.write(name)
}

func (f *curveFile) write(name string) error {
	return writeJSON(name, f)
}
