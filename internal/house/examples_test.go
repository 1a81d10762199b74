package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// An HTTP server takes so many lines at most, its client and its errors included
// where there are some.
func TestExamplesAreShort(t *testing.T) {
	for _, tt := range []struct {
		file, name string
		most       int
	}{
		{"example_pair_test.go", "Example_pair", 20},
		{"example_tun_test.go", "Example_tun", 15},
	} {
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, filepath.Join("..", "..", "netconn", tt.file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, d := range f.Decls {
			if example, ok := d.(*ast.FuncDecl); ok && example.Name.Name == tt.name {
				got = len(codeLines(files, example.Body))
			}
		}
		if got == 0 || got > tt.most {
			t.Errorf("%s has %d lines, want at most %d", tt.name, got, tt.most)
		}
	}
}

// codeLines are the lines between the braces of a function that have more than
// white space or a comment on them.
func codeLines(files *token.FileSet, body *ast.BlockStmt) map[int]bool {
	lines := make(map[int]bool)
	for _, s := range body.List {
		ast.Inspect(s, func(n ast.Node) bool {
			if n != nil {
				lines[files.Position(n.Pos()).Line] = true
				lines[files.Position(n.End()).Line] = true
			}
			return true
		})
	}
	return lines
}
