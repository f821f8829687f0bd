package bench

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// signatureFigures have the time for a signature over the size of its batch, a line for each backend.
func signatureFigures(s *SignatureTimes) (all []figure, err error) {
	if s == nil {
		return nil, nil
	}
	for i, row := range signatureRows {
		f := &figure{ID: fmt.Sprintf("signatures-%d", i+1), Title: upperFirst(row.title), Unit: "µs each, logarithmic",
			Caption: fmt.Sprintf("One core, hashing included; median. %s, commit %.12s.", s.CPU, s.Commit)}
		p := chart.New("signatures in a batch", "")
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
		var labels chart.Labels
		for k, backend := range s.backends() {
			var points plotter.XYs
			for _, batch := range signatureBatches {
				if us, ok := s.median(fmt.Sprintf("%s/batch=%d/backend=%s", row.benchmark, batch, backend)); ok {
					points = append(points, plotter.XY{X: float64(batch), Y: us})
				}
			}
			if len(points) < 2 {
				continue
			}
			if err := chart.AddLine(p, k, points); err != nil {
				return nil, err
			}
			labels.Name(k, points, backend)
		}
		if len(labels) == 0 {
			continue
		}
		p.Add(labels)
		p.Y.Min, p.Y.Max = p.Y.Min/1.3, p.Y.Max*1.3
		if f, err = f.draw(p); err != nil {
			return nil, err
		}
		all = append(all, *f)
	}
	return all, nil
}
