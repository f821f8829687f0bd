package perf

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Sizes of a flame graph, in px. Frames narrower than flameNarrowest are left out: nobody could see them.
const (
	flameWidth     = 1200
	flameRow       = 18
	flameMargin    = 12
	flameHead      = 56
	flameChar      = 6.7 // of the text's font, on average
	flameNarrowest = 1.2
	flameDeepest   = 200 // rows; what is called from there on counts for its caller
)

// frame is a function as it was called, with what was called from it.
type frame struct {
	name     string
	value    int64 // of it and what it called
	children map[string]*frame
}

func (f *frame) child(name string) *frame {
	c := f.children[name]
	if c == nil {
		c = &frame{name: name, children: make(map[string]*frame)}
		f.children[name] = c
	}
	return c
}

// frames adds up the stacks of a profile, of its sample type at index, from the outermost function on.
func frames(p *profile.Profile, index int) *frame {
	root := &frame{name: "all", children: make(map[string]*frame)}
	for _, s := range p.Sample {
		value := s.Value[index]
		if value == 0 {
			continue
		}
		at, depth := root, 0
		root.value += value
		for _, l := range slices.Backward(s.Location) {
			for _, line := range slices.Backward(l.Line) { // inlined calls, the outermost last
				if line.Function == nil || depth == flameDeepest {
					continue
				}
				at = at.child(line.Function.Name)
				at.value += value
				depth++
			}
		}
	}
	return root
}

func (f *frame) depth() int {
	deepest := 0
	for _, c := range f.children {
		deepest = max(deepest, c.depth())
	}
	return 1 + deepest
}

// WriteFlame draws a profile as a flame graph: one SVG file that needs nothing else. Widths are shares of the profile's default
// sample type; who called is below. A frame's particulars show when the pointer rests on it.
func WriteFlame(w io.Writer, p *profile.Profile, title string) error {
	index := len(p.SampleType) - 1
	for i, t := range p.SampleType {
		if t.Type == p.DefaultSampleType || t.Type == "alloc_space" && p.DefaultSampleType == "" {
			index = i
		}
	}
	if index < 0 {
		return fmt.Errorf("perf: flame graph: the profile has no samples")
	}
	root := frames(p, index)
	if root.value == 0 {
		return fmt.Errorf("perf: flame graph: the profile is empty: nothing was sampled")
	}
	root.prune(float64(flameWidth-2*flameMargin) / float64(root.value))
	g := &flame{unit: p.SampleType[index].Unit, total: root.value, bottom: flameHead + root.depth()*flameRow}
	g.head(title, p.SampleType[index].Type)
	g.draw(root, flameMargin, flameWidth-flameMargin, 0)
	g.b.WriteString("</svg>\n")
	if _, err := io.WriteString(w, g.b.String()); err != nil {
		return fmt.Errorf("perf: flame graph: %w", err)
	}
	return nil
}

// prune drops what is too narrow to see, so that it adds no rows.
func (f *frame) prune(scale float64) {
	maps.DeleteFunc(f.children, func(_ string, c *frame) bool { return float64(c.value)*scale < flameNarrowest })
	for _, c := range f.children {
		c.prune(scale)
	}
}

// WriteFlameFile draws the profile in one file into another.
func WriteFlameFile(from, to, title string) error {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("perf: %w", err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return fmt.Errorf("perf: %s: %w", from, err)
	}
	var b strings.Builder
	if err := WriteFlame(&b, p, title); err != nil {
		return fmt.Errorf("%w (%s)", err, from)
	}
	if err := os.WriteFile(to, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("perf: %w", err)
	}
	return nil
}

// flame is a graph that is being drawn.
type flame struct {
	b      strings.Builder
	unit   string
	total  int64
	bottom int // y of the lowest row's lower edge
}

// flameKinds color frames by whose code they are. The first that matches is it.
var flameKinds = []struct{ class, name, of string }{
	{"sig", "signatures", `^fastpay/crypto|^crypto/|/curve25519-voi/|sha512`},
	{"our", "fastpay", `^fastpay/`},
	{"net", "sockets, kernel", `^syscall|/sys/unix\.|internal/runtime/syscall|/gnet/|^net\.|^internal/poll|^runtime\.(epoll|netpoll|entersyscall)`},
	{"run", "runtime", `^runtime[./]|^gc$|^sync|^internal/`},
	{"etc", "other", ``},
}

var flamePatterns = func() (list []*regexp.Regexp) {
	for _, k := range flameKinds {
		list = append(list, regexp.MustCompile(k.of))
	}
	return list
}()

func flameKind(function string) string {
	for i, pattern := range flamePatterns {
		if pattern.MatchString(function) {
			return flameKinds[i].class
		}
	}
	return ""
}

const flameStyle = `svg{background:#fff}text{font:11.5px ui-monospace,"Liberation Mono",Menlo,monospace;fill:#1b1b1b}
.t{font:600 16px system-ui,"Liberation Sans",Arial,sans-serif}.s{font:12px system-ui,"Liberation Sans",Arial,sans-serif;fill:#555}
rect{stroke:#fff;stroke-width:.6}.sig{fill:#e8743b}.our{fill:#f2b134}.net{fill:#6fb98f}.run{fill:#8fa9c4}.etc{fill:#c9c2b8}
g:hover rect{stroke:#000;stroke-width:1}
@media screen and (prefers-color-scheme:dark){svg{background:#14171a}.t{fill:#eee}.s{fill:#a3adb8}rect{stroke:#14171a}g:hover rect{stroke:#fff}}`

func (g *flame) head(title, what string) {
	height := g.bottom + flameMargin
	fmt.Fprintf(&g.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="100%%" role="img" aria-label="%s">`+"\n",
		flameWidth, height, html.EscapeString(title))
	fmt.Fprintf(&g.b, "<style>%s</style>\n<text class=\"t\" x=\"%d\" y=\"24\">%s</text>\n", flameStyle, flameMargin, html.EscapeString(title))
	fmt.Fprintf(&g.b, "<text class=\"s\" x=\"%d\" y=\"44\">%s: %s in all. Width is share; who called is below.</text>\n", flameMargin,
		html.EscapeString(what), g.amount(g.total))
	x := flameWidth - flameMargin - 125*len(flameKinds)
	for i, k := range flameKinds {
		fmt.Fprintf(&g.b, "<rect class=\"%s\" x=\"%d\" y=\"34\" width=\"11\" height=\"11\"/><text class=\"s\" x=\"%d\" y=\"44\">%s</text>\n",
			k.class, x+i*125, x+i*125+16, k.name)
	}
}

// draw draws f from left to right, and what it called above it.
func (g *flame) draw(f *frame, left, right float64, row int) {
	y := g.bottom - (row+1)*flameRow
	name := shortFunction(f.name)
	fmt.Fprintf(&g.b, "<g><title>%s: %s, %.2f %%</title><rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>",
		html.EscapeString(f.name), g.amount(f.value), 100*float64(f.value)/float64(g.total), flameKind(f.name), left, y, right-left, flameRow-1)
	if room := int((right - left - 6) / flameChar); room >= 3 {
		if runes := []rune(name); len(runes) > room {
			name = string(runes[:room-1]) + "…"
		}
		fmt.Fprintf(&g.b, "<text x=\"%.2f\" y=\"%d\">%s</text>", left+3, y+flameRow-6, html.EscapeString(name))
	}
	g.b.WriteString("</g>\n")
	children := slices.SortedFunc(maps.Values(f.children), func(a, b *frame) int { return cmp.Compare(a.name, b.name) })
	scale := (right - left) / float64(f.value)
	for _, c := range children { // what is left over on the right is the function's own
		next := left + scale*float64(c.value)
		g.draw(c, left, next, row+1)
		left = next
	}
}

// amount is a value in the profile's unit.
func (g *flame) amount(v int64) string {
	switch g.unit {
	case "nanoseconds":
		return time.Duration(v).Round(time.Millisecond).String()
	case "bytes":
		return fmt.Sprintf("%.1f MiB", float64(v)/(1<<20))
	}
	return fmt.Sprintf("%d %s", v, g.unit)
}

var majorVersion = regexp.MustCompile(`^v[0-9]+\.`)

// shortFunction leaves out the path of a function's package; of a version the name before it stays.
func shortFunction(name string) string {
	path := name
	if at := strings.IndexAny(name, "([{"); at >= 0 { // slashes in parameters are not of the path
		path = name[:at]
	}
	slash := strings.LastIndexByte(path, '/')
	if slash >= 0 && majorVersion.MatchString(name[slash+1:]) {
		slash = strings.LastIndexByte(path[:slash], '/')
	}
	return name[slash+1:]
}
