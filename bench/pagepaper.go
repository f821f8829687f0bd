package bench

import (
	"fmt"
	"html/template"
	"strings"

	"fastpay/bench/paper"
)

// paperSection is a run of the paper's experiments on the page.
type paperSection struct {
	Lead    string
	Figures []paperFigure
}

// paperFigure is a figure of the paper: as it is here and there, in the same layout, and the numbers.
type paperFigure struct {
	Name, Title string
	Drawn       []figure
	Header      []pageCell
	Rows        [][]pageCell
	Notes       []string
}

// pageCell is a cell of a table; numbers stand on the right.
type pageCell struct {
	Text   string
	Number bool
}

// Class is that of the cell's element: numbers are not broken over lines, unless much is said with them.
func (c pageCell) Class() string {
	const long = 24 // characters
	switch {
	case c.Number && len(c.Text) > long:
		return "n t"
	case c.Number:
		return "n"
	}
	return ""
}

func paperSections(runs []*paperRun) (sections []paperSection, err error) {
	for i, p := range runs {
		s := paperSection{Lead: strings.ReplaceAll(strings.ReplaceAll(p.about(), "`", ""), "**", "")}
		s.Figures = append(s.Figures, paperFigureOf("The headline", "what the paper's figures were, and ours as the same",
			paper.HeadlineMarkdown(p.headline, p.machine())))
		for k := range p.figures {
			part := &p.figures[k]
			f := paperFigureOf(part.Name(), part.Title, p.markdown(part))
			if f.Drawn, err = part.draw(i + 1); err != nil {
				return nil, err
			}
			s.Figures = append(s.Figures, f)
		}
		sections = append(sections, s)
	}
	return sections, nil
}

// draw is the figure in the paper's layout: ours, and the paper's own.
func (p *paperPart) draw(number int) (drawn []figure, err error) {
	for _, of := range []struct {
		source      paper.Source
		id, caption string
	}{{paper.Ours, "ours", "Ours, on this machine"}, {paper.Paper, "paper", "The paper's, on 48 cores"}} {
		text, err := paper.DrawSummaries(p.Figure, p.summaries, of.source)
		if err != nil {
			return nil, err
		}
		if text != "" {
			drawn = append(drawn, figure{ID: fmt.Sprintf("paper-%d-%s-%s", number, p.ID, of.id), Title: of.caption,
				SVG: template.HTML(text)}) // made by vgsvg and package chart, from numbers and escaped names
		}
	}
	return drawn, nil
}

// paperFigureOf is the table and the notes of a figure, as its Markdown has them.
func paperFigureOf(name, title, markdown string) paperFigure {
	f := paperFigure{Name: name, Title: title}
	var right []bool
	for _, line := range lines(markdown) {
		if note, ok := strings.CutPrefix(line, "- "); ok {
			f.Notes = append(f.Notes, strings.ReplaceAll(note, "`", ""))
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		var row []pageCell
		for i, text := range strings.Split(strings.Trim(line, "|"), "|") {
			row = append(row, pageCell{strings.TrimSpace(text), i < len(right) && right[i]})
		}
		switch {
		case f.Header == nil:
			f.Header = row
		case right == nil:
			for i, cell := range row {
				right = append(right, strings.HasSuffix(cell.Text, ":"))
				f.Header[min(i, len(f.Header)-1)].Number = right[i]
			}
		default:
			f.Rows = append(f.Rows, row)
		}
	}
	return f
}
