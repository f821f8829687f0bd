package bench

// paperSection is a run of the paper's experiments on the page.
type paperSection struct {
	Lead    string
	Notes   []string
	Figures []paperFigure
}

// paperFigure is a figure of the paper: as it is here and there, in the same layout, and the numbers.
type paperFigure struct {
	Name, Title string
	Drawn       []figure
	Header      []string
	Rows        [][]string
	Notes       []string
}

func paperSections(runs []*paperRun) (sections []paperSection, err error) {
	return nil, nil
}
