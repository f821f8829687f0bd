package bench

import (
	"cmp"
	"fmt"
	"slices"
)

// pageBudget is where the CPU time of a payment goes, of the first run that tells.
type pageBudget struct {
	Run, Samples int
	Sum, Clock   string
	Stages       []pageStage
}

type pageStage struct {
	Name, Us, Bytes string
	Percent         float64 // of the largest stage
}

func budgetOf(rows []pageRow) *pageBudget {
	for _, row := range rows {
		b := row.result.Budget
		if b == nil || b.SumUs == 0 {
			continue
		}
		shown := &pageBudget{Run: row.Number, Samples: int(b.Samples), Sum: fmt.Sprintf("%.2f", b.SumUs),
			Clock: fmt.Sprintf("%.2f", b.MeasuredUs)}
		largest := slices.MaxFunc(b.Stages, func(a, b Stage) int { return cmp.Compare(a.Us, b.Us) }).Us
		for _, s := range b.Stages {
			stage := pageStage{Name: s.Name, Us: fmt.Sprintf("%.2f", s.Us), Percent: 100 * ratio(s.Us, largest)}
			if s.Bytes > 0 {
				stage.Bytes = fmt.Sprintf("%.0f", s.Bytes)
			}
			shown.Stages = append(shown.Stages, stage)
		}
		return shown
	}
	return nil
}
