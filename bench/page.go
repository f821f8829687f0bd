package bench

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"fastpay/bench/chart"
)

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what page.tmpl shows: everything is in it, so that the file needs neither network nor scripts. A part without anything to
// show is not on the page.
type page struct {
	Style    template.CSS
	Title    string
	Lead     string
	Parts    []pagePart
	Tiles    []tile
	Beside   []besideRow
	OurCores int
	About    string // what stands beside the paper
	Papers   []paperSection
	Load     []figure
	Sweeps   []curveSection // the runs of Load
	Rows     []pageRow
	Figures  []figure
	Curves   []curveSection
	Crypto   []figure
	Budget   *pageBudget
	Machines []pageMachine
	Rate     string // what a rate is
}

// pagePart is an entry of the contents.
type pagePart struct{ ID, Name string }

// WritePage writes one HTML file about the results in folders and files; it appears whole or not at all. Which files of
// folders are broken is told on stderr.
func WritePage(file string, stderr io.Writer, paths ...string) error {
	s, err := readSource(stderr, paths...)
	if err != nil {
		return err
	}
	text, err := renderPage(s)
	if err != nil {
		return err
	}
	return replaceFile(file, text)
}

// naturally orders names as people do: numbers within them by value.
func naturally(a, b string) int {
	number := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for a != "" && b != "" {
		na, nb := number(a), number(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if order := cmp.Or(len(x)-len(y), cmp.Compare(x, y)); order != 0 {
				return order
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func renderPage(s *pageSource) ([]byte, error) {
	p := &page{Style: pageStyle(), Title: "FastPay benchmark", Rate: strings.ReplaceAll(whatRate, "**", "")}
	for i, f := range s.runs {
		p.Rows = append(p.Rows, newPageRow(i+1, f))
	}
	p.Lead = s.lead()
	p.Tiles = tiles(p.Rows)
	if len(p.Rows) == 0 {
		p.Tiles = tiles(s.curveRows())
	}
	p.Tiles = append(p.Tiles, waitTiles(s.transfers)...)
	p.Machines = s.machines()
	p.Budget = budgetOf(p.Rows)
	if err := p.fill(s); err != nil {
		return nil, err
	}
	p.Parts = p.parts()
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("bench: page: %w", err)
	}
	return b.Bytes(), nil
}

// fill draws the figures.
func (p *page) fill(s *pageSource) (err error) {
	if p.Beside, err = besidePaper(resultsOf(s.runs)); err != nil {
		return err
	}
	if len(p.Beside) > 0 {
		p.OurCores, p.About = p.Beside[0].cores, whatPaper
	}
	if p.Papers, err = paperSections(s.papers); err != nil {
		return err
	}
	if p.Load, err = loadFigures(s.all()); err != nil {
		return err
	}
	if p.Figures, err = figures(p.Rows); err != nil {
		return err
	}
	if p.Crypto, err = signatureFigures(s.crypto); err != nil {
		return err
	}
	p.Sweeps, p.Curves, err = curveSections(s.curves)
	return err
}

// parts are the contents.
func (p *page) parts() (parts []pagePart) {
	for _, part := range []struct {
		pagePart
		there bool
	}{
		{pagePart{"beside", "Beside the paper"}, len(p.Beside) > 0},
		{pagePart{"paper", "The paper's figures"}, len(p.Papers) > 0},
		{pagePart{"figures", "Rates and latency"}, len(p.Figures) > 0},
		{pagePart{"load", "Offered load"}, len(p.Load) > 0},
		{pagePart{"curves", "Scaling"}, len(p.Curves) > 0},
		{pagePart{"budget", "Budget"}, p.Budget != nil},
		{pagePart{"signatures", "Signatures"}, len(p.Crypto) > 0},
		{pagePart{"runs", "Runs"}, len(p.Rows) > 0},
		{pagePart{"environment", "Environment"}, len(p.Machines) > 0},
		{pagePart{"repeat", "Commands"}, len(p.Rows) > 0},
	} {
		if part.there {
			parts = append(parts, part.pagePart)
		}
	}
	return parts
}

// pageStyle sets the charts' colors, for light and dark.
func pageStyle() template.CSS {
	var light, dark strings.Builder
	for i, name := range chart.Variables() {
		fmt.Fprintf(&light, "%s:%s;", name, chart.LightColors[i])
		fmt.Fprintf(&dark, "%s:%s;", name, chart.DarkColors[i])
	}
	return template.CSS(fmt.Sprintf(":root{%s}@media screen and (prefers-color-scheme:dark){:root{%s}}", light.String(), dark.String()))
}

// lead says what was measured, when, and on what.
func (s *pageSource) lead() string {
	all := s.all()
	var parts []string
	if len(all) > 0 {
		parts = append(parts, fmt.Sprintf("%d %s", len(all), plural(len(all), "run")))
		days := distinct(all, func(r *Result) string { return fmt.Sprintf("%.10s", r.Environment.RecordedAt) })
		if days[0] != "" {
			parts = append(parts, "measured "+days[0])
			if last := days[len(days)-1]; last != days[0] {
				parts = append(parts, "to "+last)
			}
		}
	}
	for _, p := range s.papers {
		all = append(all, &Result{Environment: p.manifest.Environment})
	}
	if len(all) == 0 {
		return ""
	}
	cpus := distinct(all, func(r *Result) string { return fmt.Sprintf("%s, %d cores", r.Environment.CPU, r.Environment.Cores) })
	commits := distinct(all, (*Result).build)
	return strings.Join(append([]string{strings.Join(parts, " ")}, strings.Join(cpus, "; "),
		plural(len(commits), "commit")+" "+strings.Join(commits, ", ")), "; ")
}

// curveRows are the points of curves, for a page without single runs.
func (s *pageSource) curveRows() (rows []pageRow) {
	for _, c := range s.curves {
		for _, r := range c.results() {
			rows = append(rows, newPageRow(len(rows)+1, resultFile{c.where, r}))
		}
	}
	return rows
}
