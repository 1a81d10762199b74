package lab_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The code in docs/lab.md is that of the examples here, and all of it.
func TestTutorial(t *testing.T) {
	tutorial := string(must(os.ReadFile("../docs/lab.md")))
	var all strings.Builder
	for _, name := range must(filepath.Glob("example_*_test.go")) {
		if name == "example_docs_test.go" {
			continue
		}
		source := string(must(os.ReadFile(name)))
		all.WriteString(source)
		for _, d := range declarations(t, name, source) {
			if !strings.Contains(tutorial, d) {
				t.Errorf("%s: docs/lab.md lacks\n%s", name, d)
			}
		}
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)\n```").FindAllStringSubmatch(tutorial, -1)
	if len(blocks) == 0 {
		t.Fatal("docs/lab.md has no code")
	}
	for _, b := range blocks {
		if !strings.Contains(all.String(), b[1]) {
			t.Errorf("no example has this code of docs/lab.md:\n%s", b[1])
		}
	}
}

// declarations are the texts of all that a file declares, comments included.
func declarations(t *testing.T, name, source string) (list []string) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		from := d.Pos()
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				continue
			}
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		case *ast.FuncDecl:
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		}
		list = append(list, source[files.Position(from).Offset:files.Position(d.End()).Offset])
	}
	return list
}
