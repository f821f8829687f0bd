package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"sort"
)

func (p *pkg) newFile(name string, tree *ast.File) (*file, error) {
	path := filepath.Join(p.dir, name)
	src, err := os.ReadFile(path)
	return &file{name: path, src: src, base: int(tree.FileStart)}, err
}

// find enters all places of a file. A place is entered before those within it.
func (p *pkg) find(f *file, tree *ast.File) {
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR // constants and types can't be chosen when the program runs
		case *ast.BlockStmt:
			p.statements(f, n.List)
		case *ast.CaseClause:
			p.statements(f, n.Body)
			for _, s := range n.Body { // the values of cases stay
				ast.Inspect(s, visit)
			}
			return false
		case *ast.CommClause:
			p.statements(f, n.Body)
		case *ast.CallExpr:
			return !isSabotage(n) && !p.isText(n)
		case *ast.ReturnStmt:
			if last := len(n.Results) - 1; last > 0 && p.isFalse(n.Results[last]) { // what else is returned means nothing
				ast.Inspect(n.Results[last], visit)
				return false
			}
			return !p.fails(n)
		case *ast.ArrayType:
			return false
		case *ast.IfStmt:
			if isSabotage(n.Cond) || hasSabotage(n.Cond) {
				if n.Else != nil {
					ast.Inspect(n.Else, visit)
				}
				return false
			}
			p.condition(f, n.Cond)
		case *ast.BinaryExpr:
			if isSabotaged(n) {
				return false
			}
			p.binary(f, n)
		case *ast.UnaryExpr:
			p.not(f, n)
		case *ast.Ident:
			p.truth(f, n)
		case *ast.BasicLit:
			p.literal(f, n)
		}
		return !p.isConstant(n)
	}
	for _, d := range tree.Decls {
		f.in = ""
		if function, ok := d.(*ast.FuncDecl); ok {
			f.in = function.Name.Name
		}
		ast.Inspect(d, visit)
	}
	sort.SliceStable(f.sites, func(i, j int) bool {
		a, b := f.sites[i], f.sites[j]
		return a.from < b.from || a.from == b.from && a.to > b.to
	})
}

// isConstant reports an expression that the compiler computes, in which nothing can be chosen. A literal alone can be
// replaced by a call.
func (p *pkg) isConstant(n ast.Node) bool {
	e, ok := n.(ast.Expr)
	return ok && p.info.Types[e].Value != nil
}

// isText reports a call that makes the text of an error, or panics: for a programmer's mistake, which nothing causes.
func (p *pkg) isText(n *ast.CallExpr) bool {
	for _, a := range n.Args {
		if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if t := p.info.Types[n].Type; t != nil && types.Implements(t, errorType) {
				return true
			}
		}
	}
	switch f := n.Fun.(type) {
	case *ast.Ident:
		return f.Name == "panic"
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && (x.Name == "fmt" || x.Name == "errors")
	}
	return false
}

func (p *pkg) isFalse(e ast.Expr) bool {
	value := p.info.Types[e].Value
	return value != nil && value.Kind() == constant.Bool && !constant.BoolVal(value)
}

// fails reports the return of an error: what is returned with it means nothing.
func (p *pkg) fails(n *ast.ReturnStmt) bool {
	if len(n.Results) < 2 {
		return false
	}
	last := n.Results[len(n.Results)-1]
	t := p.info.Types[last].Type
	id, isName := last.(*ast.Ident)
	return t != nil && !(isName && id.Name == "nil") && types.Implements(t, errorType)
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// isSabotage reports sabotaged("..."), which is never true in these builds.
func isSabotage(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "sabotaged"
}

// isSabotaged reports x && sabotaged("..."), which is never true either, and x || !sabotaged("..."), which always is.
func isSabotaged(n *ast.BinaryExpr) bool {
	if not, ok := n.Y.(*ast.UnaryExpr); ok && n.Op == token.LOR && not.Op == token.NOT {
		return isSabotage(not.X)
	}
	return n.Op == token.LAND && (isSabotage(n.X) || isSabotage(n.Y))
}

// statements enters those of a list that can be left out.
func (p *pkg) statements(f *file, list []ast.Stmt) {
	for i, s := range list {
		switch n := s.(type) {
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); ok && p.isText(call) {
				continue
			}
		case *ast.IncDecStmt, *ast.DeferStmt:
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				continue
			}
		case *ast.IfStmt:
			if i == len(list)-1 && n.Else != nil || isSabotage(n.Cond) || hasSabotage(n.Cond) {
				continue
			}
		default:
			continue
		}
		p.add(f, s, func(f *file, s *site) string {
			return fmt.Sprintf("if mutant != %d { %s }", s.changes[0].Number, f.whole(s))
		}, "left out")
	}
}

func hasSabotage(e ast.Expr) bool {
	b, ok := e.(*ast.BinaryExpr)
	return ok && isSabotaged(b)
}

// choose is a condition that is one of several, by the number of the change.
func choose(s *site, is string, instead ...string) string {
	text, others := "(", ""
	for i, x := range instead {
		text += fmt.Sprintf("mutant != %d && ", s.changes[i].Number)
		others += fmt.Sprintf(" || mutant == %d && (%s)", s.changes[i].Number, x)
	}
	return text + "(" + is + ")" + others + ")"
}

var neighbors = map[token.Token][]string{
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"}, token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.EQL: {"!="}, token.NEQ: {"=="}, token.LAND: {"||"}, token.LOR: {"&&"},
}

func (p *pkg) binary(f *file, n *ast.BinaryExpr) {
	if p.isConstant(n) {
		return
	}
	if others, ok := neighbors[n.Op]; ok {
		var what []string
		for _, o := range others {
			what = append(what, fmt.Sprintf("%s becomes %s", n.Op, o))
		}
		p.add(f, n, func(f *file, s *site) string {
			x, y := f.inside(n.X), f.inside(n.Y)
			var instead []string
			for _, o := range others {
				instead = append(instead, x+" "+o+" "+y)
			}
			return choose(s, x+" "+n.Op.String()+" "+y, instead...)
		}, what...)
		return
	}
	basic, ok := p.info.Types[n].Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 || n.Op != token.ADD && n.Op != token.SUB {
		return
	}
	other := map[token.Token]string{token.ADD: "-", token.SUB: "+"}[n.Op]
	p.add(f, n, func(f *file, s *site) string {
		x, y := f.inside(n.X), f.inside(n.Y)
		is := x + " " + n.Op.String() + " " + y
		return fmt.Sprintf("func() %s { switch mutant { case %d: return %s %s %s; case %d: return %s + 1 }; return %s }()",
			f.typeName(p.info.Types[n].Type), s.changes[0].Number, x, other, y, s.changes[1].Number, is, is)
	}, n.Op.String()+" becomes "+other, "one more")
}

// not enters !x.
func (p *pkg) not(f *file, n *ast.UnaryExpr) {
	if n.Op == token.NOT && !isSabotage(n.X) {
		p.add(f, n, func(f *file, s *site) string { x := f.inside(n.X); return choose(s, "!"+x, x) }, "! is left out")
	}
}

// condition enters a condition that has no operator.
func (p *pkg) condition(f *file, e ast.Expr) {
	switch e.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr:
		return
	}
	p.add(f, e, func(f *file, s *site) string { x := f.whole(s); return choose(s, x, "!("+x+")") }, "not")
}

// truth enters true and false.
func (p *pkg) truth(f *file, n *ast.Ident) {
	if v := p.info.Types[n].Value; v == nil || n.Name != "true" && n.Name != "false" {
		return
	}
	op := map[string]string{"true": "!=", "false": "=="}[n.Name]
	p.add(f, n, func(_ *file, s *site) string { return fmt.Sprintf("(mutant %s %d)", op, s.changes[0].Number) }, "the opposite")
}

// literal enters a whole number.
func (p *pkg) literal(f *file, n *ast.BasicLit) {
	basic, ok := p.info.Types[n].Type.(*types.Basic)
	if n.Kind != token.INT || !ok || basic.Info()&types.IsInteger == 0 || basic.Info()&types.IsUntyped != 0 {
		return
	}
	p.add(f, n, func(f *file, s *site) string {
		return fmt.Sprintf("func() %s { if mutant == %d { return %s + 1 }; return %s }()",
			basic.Name(), s.changes[0].Number, n.Value, n.Value)
	}, "one more")
}

// typeName spells a type as the file does.
func (f *file) typeName(t types.Type) string {
	return types.TypeString(t, func(other *types.Package) string {
		if other == f.types {
			return ""
		}
		return other.Name()
	})
}
