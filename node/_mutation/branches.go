package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// refusal is a return of an error, of a false, or of an answer that refuses.
type refusal struct {
	file string
	at   place
	change
}

// branches tells which tests reach each refusal of a package. One that none reaches is an error, but for those that
// equivalent.txt has.
func (o *options) branches(dir string) error {
	known, err := readEquivalent(o.equivalent, dir)
	if err != nil {
		return err
	}
	p, err := load(dir)
	if err != nil {
		return err
	}
	c, err := measure(dir, testFlags(dir))
	if err != nil {
		return err
	}
	var table strings.Builder
	var missing []string
	list := p.refusals()
	for _, r := range list {
		tests := c.reaching(r.file, r.at)
		if len(tests) == 0 && !known[r.key()] {
			missing = append(missing, r.Place+": "+r.key())
		}
		fmt.Fprintf(&table, "%s: %s: %s: %d tests", r.Place, r.Func, r.Text, len(tests))
		for _, t := range tests {
			fmt.Fprintf(&table, " %s", t.name)
		}
		table.WriteByte('\n')
	}
	name := filepath.Join(o.out, filepath.Base(dir)+".branches")
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, []byte(table.String()), 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d places that refuse something, each with its tests in %s\n", dir, len(list), name)
	if len(missing) > 0 {
		return fmt.Errorf("%s: %d places that refuse something are reached by no test:\n%s", dir, len(missing),
			strings.Join(missing, "\n"))
	}
	return nil
}

func (p *pkg) refusals() (list []refusal) {
	for _, f := range p.files {
		for _, d := range f.tree.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(function, func(n ast.Node) bool {
				if i, ok := n.(*ast.IfStmt); ok && (isSabotage(i.Cond) || hasSabotage(i.Cond)) {
					return false
				}
				if r, ok := n.(*ast.ReturnStmt); ok && p.refuses(r) {
					at := p.fset.Position(r.Pos())
					where := fmt.Sprintf("%s:%d", filepath.Base(f.name), at.Line)
					list = append(list, refusal{filepath.Base(f.name), place{at.Line, at.Column},
						change{Place: where, Func: function.Name.Name, Text: f.marked(f.offset(r.Pos()), f.offset(r.End())), What: "not reached"}})
				}
				return true
			})
		}
	}
	return list
}

func (p *pkg) refuses(r *ast.ReturnStmt) bool {
	if len(r.Results) == 0 {
		return false
	}
	for _, e := range r.Results {
		if call, ok := e.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "refuse") {
				return true
			}
		}
	}
	last := p.info.Types[r.Results[len(r.Results)-1]]
	if last.Value != nil && last.Value.Kind() == constant.Bool {
		return !constant.BoolVal(last.Value)
	}
	return last.Type != nil && !last.IsNil() && types.Implements(last.Type, errorType)
}
