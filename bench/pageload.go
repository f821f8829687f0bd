package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// Where the knee of a sweep is: at the highest rate up to which every one was kept, and no p99 was more than kneeTimes the lowest.
const kneeTimes = 5

// offered is a point of an open loop.
type offered struct {
	asked, rate    float64 // a second
	p50, p99, p999 float64 // ms; 0 where there are too few samples
	kept           bool
}

// loadSets are the open loops among results, by all that they have in common but the rate; only those with several rates.
func loadSets(results []*Result) (names []string, sets map[string][]offered) {
	sets = make(map[string][]offered)
	ms := func(us *int64) float64 {
		if us == nil {
			return 0
		}
		return float64(*us) / 1e3
	}
	for _, r := range results {
		l := r.latency()
		if r.Load == nil || r.Load.AskedPerSec <= 0 || r.counted() == 0 || l.P50 == nil || l.P99 == nil {
			continue
		}
		name := fmt.Sprintf("%s, %s over %s, %d %s", r.unit().many, r.authorities(), strings.ToUpper(r.Protocol), r.NumShards,
			plural(r.NumShards, "shard"))
		if sets[name] == nil {
			names = append(names, name)
		}
		kept := r.Err(false) == nil && !slices.Contains(r.Flags, FlagOverloaded) && !slices.Contains(r.Flags, FlagGeneratorBound) &&
			!slices.Contains(r.Flags, FlagExhausted)
		sets[name] = append(sets[name], offered{r.Load.AskedPerSec, r.RatePerSec, ms(l.P50), ms(l.P99), ms(l.P999), kept})
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		slices.SortStableFunc(sets[name], func(a, b offered) int { return cmp.Compare(a.asked, b.asked) })
		return sets[name][0].asked == sets[name][len(sets[name])-1].asked
	})
	return names, sets
}

// knee is the rate of the knee, of points by rate; ok is false when not even the first holds.
func knee(points []offered) (rate float64, ok bool) {
	lowest := slices.MinFunc(points, func(a, b offered) int { return cmp.Compare(a.p99, b.p99) }).p99
	for _, p := range points {
		if !p.kept || p.p99 > kneeTimes*lowest {
			break
		}
		rate, ok = p.asked, true
	}
	return rate, ok
}

// loadFigures has for each set of open loops the latency over the rate that was asked for, and the knee.
func loadFigures(results []*Result) (all []figure, err error) {
	names, sets := loadSets(results)
	for i, name := range names {
		f := &figure{ID: fmt.Sprintf("load-%d", i+1), Title: "Latency against offered load", Unit: "ms, logarithmic"}
		if f, err = f.drawLoad(name, sets[name]); err != nil {
			return nil, err
		}
		reached, err := reachedFigure(i+1, sets[name])
		if err != nil {
			return nil, err
		}
		all = append(all, *f, *reached)
	}
	return all, nil
}

// reachedFigure has the rate that was reached over the one that was asked for.
func reachedFigure(number int, points []offered) (*figure, error) {
	p := chart.New("asked for, a second", "")
	var reached, asked plotter.XYs
	for _, o := range points {
		reached = append(reached, plotter.XY{X: o.asked, Y: o.rate})
		asked = append(asked, plotter.XY{X: o.asked, Y: o.asked})
	}
	var labels chart.Labels
	for i, line := range []plotter.XYs{reached, asked} {
		if err := chart.AddLine(p, i*(chart.MaxSeries-1), line); err != nil {
			return nil, err
		}
		labels.Name(i*(chart.MaxSeries-1), line, []string{"reached", "asked"}[i])
	}
	p.Add(labels)
	p.Y.Min = 0
	f := &figure{ID: fmt.Sprintf("load-%d-rate", number), Title: "Rate reached", Unit: "a second",
		Caption: "Of the same runs: where the line leaves the other the load is more than can be done."}
	return f.draw(p)
}

func (f *figure) drawLoad(name string, points []offered) (*figure, error) {
	p := chart.New("asked for, a second", "")
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
	var labels chart.Labels
	for i, of := range []struct {
		name string
		ms   func(offered) float64
	}{{"p50", func(o offered) float64 { return o.p50 }}, {"p99", func(o offered) float64 { return o.p99 }},
		{"p99.9", func(o offered) float64 { return o.p999 }}} {
		var line plotter.XYs
		for _, o := range points {
			if ms := of.ms(o); ms > 0 {
				line = append(line, plotter.XY{X: o.asked, Y: ms})
			}
		}
		if len(line) == 0 {
			continue
		}
		if err := chart.AddLine(p, i, line); err != nil {
			return nil, err
		}
		labels.Name(i, line, of.name)
	}
	f.Caption = upperFirst(name) + "; open loop, from when each was due to the verified reply. "
	if rate, ok := knee(points); ok {
		p.Add(chart.Mark{X: rate, Text: "knee " + chart.ShortNumber(rate)})
		f.Caption += fmt.Sprintf("The knee is at %s a second: the highest rate up to which every rate was kept with a p99 of at most "+
			"%d times the lowest.", grouped(int(rate)), kneeTimes)
	} else {
		f.Caption += "There is no knee: not even the lowest rate was kept."
	}
	p.Add(labels)
	p.Y.Min, p.Y.Max = max(p.Y.Min, 1e-3)/1.3, p.Y.Max*1.3
	return f.draw(p)
}
