package requirements

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// label is what requirements are called: in RFC 9293 as its appendix B does, in
// RFC 1122, which does not number them, by their places in its lists. DEF is the
// defence against an attack.
var label = regexp.MustCompile(`\b(?:MUST|SHLD|MAY|REC|HOST|UDP|DEF)-[0-9]+\b`)

// A Claim is the place of a label in a test.
type Claim struct {
	Label string
	File  string // below the module's root, with slashes
	Line  int
	Test  string // the function, and behind slashes the subtest or row
}

// suite is the directory whose files are tests though they are not named so,
// and the test that runs them.
const suite, suiteTest = "socket/sockettest", "TestConformance"

// scripts is the directory whose scripts are tests, each a subtest of scriptsTest.
const scripts, scriptsTest = "lab/script/testdata", "TestScripts"

// Collect returns the claims of all tests of the module in root, in the order of
// their files.
func Collect(root string) ([]Claim, error) {
	var all []Claim
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && rel != "." && rel != scripts && (d.Name()[0] == '.' || d.Name() == "testdata" || isModule(path)):
			return filepath.SkipDir
		case strings.HasPrefix(rel, scripts+"/") && strings.HasSuffix(rel, ".pkt"):
			b, err := os.ReadFile(path)
			all = append(all, claimsOfScript(rel, string(b))...)
			return err
		}
		if strings.HasPrefix(rel, "internal/requirements/") ||
			!strings.HasSuffix(rel, "_test.go") && !(strings.HasPrefix(rel, suite+"/") && strings.HasSuffix(rel, ".go")) {
			return nil
		}
		claims, err := claimsOf(path, rel, nil)
		all = append(all, claims...)
		return err
	})
	return all, err
}

// claimsOfScript returns the claims in the comments of a script, which are the
// whole script's.
func claimsOfScript(name, src string) (all []Claim) {
	test := scriptsTest + "/" + strings.TrimPrefix(name, scripts+"/")
	for i, line := range strings.Split(src, "\n") {
		_, comment, _ := strings.Cut(line, "//")
		for _, l := range label.FindAllString(comment, -1) {
			all = append(all, Claim{Label: l, File: name, Line: i + 1, Test: test})
		}
	}
	return all
}

// isModule tells whether a directory is the root of a module of its own.
func isModule(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, "go.mod"))
	return len(found) > 0
}

// claimsOf returns the claims of the file at path, or of src if that is not nil.
func claimsOf(path, name string, src any) ([]Claim, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	inSuite := strings.HasPrefix(name, suite+"/")
	places := findPlaces(set, f, inSuite)
	var all []Claim
	add := func(text string, at token.Pos) error {
		line := set.Position(at).Line
		for _, l := range label.FindAllString(text, -1) {
			test := nameAt(places, line)
			if test == "" {
				return fmt.Errorf("%s:%d: %s stands in no test", name, line, l)
			}
			if inSuite {
				test = suiteTest + "/" + test
			}
			all = append(all, Claim{Label: l, File: name, Line: line, Test: test})
		}
		return nil
	}
	for _, g := range f.Comments {
		for _, c := range g.List {
			if err := add(c.Text, c.Pos()); err != nil {
				return nil, err
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && err == nil {
			err = add(s.Value, s.Pos())
		}
		return err == nil
	})
	return all, err
}

// A place is what a label may belong to: the lines of a test, subtest or row,
// with the comment above it.
type place struct {
	from, to int
	name     string
}

// nameAt is the full name of the innermost place that has the line.
func nameAt(places []place, line int) string {
	var names []string
	for _, p := range places {
		if p.from <= line && line <= p.to {
			names = append(names, p.name)
		}
	}
	return strings.Join(names, "/")
}

// findPlaces returns the places of a file, outer ones first.
func findPlaces(set *token.FileSet, f *ast.File, inSuite bool) []place {
	code := linesOfCode(set, f)
	above := make(map[int]int) // the line after a comment: the comment's first
	for _, g := range f.Comments {
		if from := set.Position(g.Pos()).Line; !code[from] {
			above[set.Position(g.End()).Line+1] = from
		}
	}
	var all []place
	add := func(n ast.Node, name string) {
		p := place{set.Position(n.Pos()).Line, set.Position(n.End()).Line, name}
		if from, ok := above[p.from]; ok {
			p.from = from
		}
		all = append(all, p)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			if !isTest(fn) {
				continue
			}
			add(fn, fn.Name.Name)
		} else if !inSuite {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if name := nameOf(n); name != "" {
				add(n, name)
			}
			return true
		})
	}
	slices.SortStableFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	return all
}

// linesOfCode are the lines on which something begins or ends.
func linesOfCode(set *token.FileSet, f *ast.File) map[int]bool {
	lines := make(map[int]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.CommentGroup:
			return false
		}
		lines[set.Position(n.Pos()).Line] = true
		lines[set.Position(n.End()).Line] = true
		return true
	})
	return lines
}

func isTest(fn *ast.FuncDecl) bool {
	return fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz"))
}

// nameOf is the name of a subtest, of a case of the suite, or of a row of a
// table; "" for other nodes.
func nameOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr: // t.Run("name", ...), both("name", ...)
		fn := ""
		switch f := n.Fun.(type) {
		case *ast.SelectorExpr:
			fn = f.Sel.Name
		case *ast.Ident:
			fn = f.Name
		}
		if len(n.Args) > 1 && slices.Contains([]string{"Run", "both", "on4", "on6", "on46"}, fn) {
			return text(n.Args[0])
		}
	case *ast.CompositeLit: // {"name", ...}, {name: "name", ...}
		if n.Type != nil || len(n.Elts) == 0 {
			return ""
		}
		if kv, ok := n.Elts[0].(*ast.KeyValueExpr); ok {
			return text(kv.Value)
		}
		return text(n.Elts[0])
	case *ast.KeyValueExpr: // "name": ...
		return text(n.Key)
	}
	return ""
}

// text is the value of a string literal; "" of other expressions.
func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}
