package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outside are the packages that the pure rooms do without: randomness, the
// system, and what waits.
var outside = []string{"os", "math/rand", "math/rand/v2", "crypto/rand", "context"}

// calls are what they do without of packages that they may have otherwise: the
// clock and its timers, and locks. (sync.Pool, and counters that are read by
// others, are fine.)
var calls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	"sync": {"Mutex", "RWMutex", "Cond", "WaitGroup", "Once", "Map"},
}

func TestPureRoomsHaveNoClockAndNoLock(t *testing.T) {
	for _, room := range pure {
		files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				if slices.Contains(outside, strings.Trim(i.Path.Value, `"`)) {
					t.Errorf("%s imports %s", name, i.Path.Value)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%v starts a goroutine", set.Position(n.Pos()))
				case *ast.ChanType:
					t.Errorf("%v has a channel", set.Position(n.Pos()))
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && slices.Contains(calls[x.Name], n.Sel.Name) {
						t.Errorf("%v uses %s.%s", set.Position(n.Pos()), x.Name, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}
