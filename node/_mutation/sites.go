package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"sort"
	"strings"
)

// pkg is a package's files, its types, and the places that can be changed.
type pkg struct {
	dir   string
	name  string
	fset  *token.FileSet
	info  *types.Info
	files []*file
	sites int // changes in all files, numbered from 1
	keys  map[string]int
}

type file struct {
	name  string // with its folder
	src   []byte
	base  int // of the file in the FileSet
	sites []*site
	tree  *ast.File
	types *types.Package
	in    string // the function in which places are being found
}

// site is a place in a file. It becomes text that acts as what is there, but for the changes that the place has, each of
// which is chosen by its number.
type site struct {
	file     string
	at       place
	from, to int // offsets
	changes  []change
	render   func(f *file, s *site) string
}

type change struct {
	Number int    `json:"number"`
	Place  string `json:"place"` // file:line
	Func   string `json:"func"`
	Text   string `json:"text"` // the line, with what is changed «marked»
	What   string `json:"what"`
}

// load reads the files of a folder that a build would take, without tests.
func load(dir string) (*pkg, error) {
	b, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	p := &pkg{dir: dir, name: b.Name, fset: token.NewFileSet(), info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}},
		keys: map[string]int{}}
	var trees []*ast.File
	for _, name := range b.GoFiles {
		tree, err := parser.ParseFile(p.fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		trees = append(trees, tree)
	}
	config := types.Config{Importer: importer.ForCompiler(p.fset, "source", nil)}
	checked, err := config.Check(p.name, p.fset, trees, p.info)
	if err != nil {
		return nil, err
	}
	for i, name := range b.GoFiles {
		if strings.HasPrefix(name, "sabotage") {
			continue
		}
		f, err := p.newFile(name, trees[i])
		if err != nil {
			return nil, err
		}
		f.tree, f.types = trees[i], checked
		p.files = append(p.files, f)
		p.find(f, trees[i])
	}
	return p, nil
}

// add enters a place with its changes, given by what they do.
func (p *pkg) add(f *file, n ast.Node, render func(*file, *site) string, what ...string) {
	at := p.fset.Position(n.Pos())
	s := &site{file: f.name, at: place{at.Line, at.Column}, from: f.offset(n.Pos()), to: f.offset(n.End()), render: render}
	for _, w := range what {
		p.sites++
		where := fmt.Sprintf("%s:%d", filepath.Base(f.name), at.Line)
		c := change{p.sites, where, f.in, f.marked(s.from, s.to), w}
		if p.keys[c.key()]++; p.keys[c.key()] > 1 {
			c.What += fmt.Sprintf(", %d", p.keys[c.key()])
		}
		s.changes = append(s.changes, c)
	}
	f.sites = append(f.sites, s)
}

func (f *file) offset(p token.Pos) int { return int(p) - f.base }

// marked is the line at an offset, with what is from there up to another offset marked, as far as it is in the line.
func (f *file) marked(from, to int) string {
	begin := strings.LastIndexByte(string(f.src[:from]), '\n') + 1
	end := from + strings.IndexByte(string(f.src[from:])+"\n", '\n')
	to = min(to, end)
	return strings.TrimSpace(string(f.src[begin:from]) + "«" + string(f.src[from:to]) + "»" + string(f.src[to:end]))
}

// text is what is from one offset up to another, with all places in it made changeable.
func (f *file) text(from, to int) string {
	var b strings.Builder
	at := from
	i := sort.Search(len(f.sites), func(i int) bool { return f.sites[i].from >= from })
	for ; i < len(f.sites) && f.sites[i].from < to; i++ {
		s := f.sites[i]
		if s.from < at || s.to > to { // within the one before, or around
			continue
		}
		b.Write(f.src[at:s.from])
		b.WriteString(s.render(f, s))
		at = s.to
	}
	b.Write(f.src[at:to])
	return b.String()
}

// inside is text for a part of a place that is shorter than the place.
func (f *file) inside(n ast.Node) string { return f.text(f.offset(n.Pos()), f.offset(n.End())) }

// whole is the text of a place itself, with the places within it made changeable.
func (f *file) whole(s *site) string {
	var b strings.Builder
	at := s.from
	for _, in := range f.sites {
		if in == s || in.from < at || in.to > s.to || in.from == s.from && in.to == s.to {
			continue
		}
		b.Write(f.src[at:in.from])
		b.WriteString(in.render(f, in))
		at = in.to
	}
	b.Write(f.src[at:s.to])
	return b.String()
}
