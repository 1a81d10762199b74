package requirements

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/*.md of the tables")

const root = "../.."

// Every requirement that a table says is met has a test, every label in a test
// is in a table, and the documents say what is so.
func TestRequirements(t *testing.T) {
	claims, err := Collect(root)
	if err != nil {
		t.Fatal(err)
	}
	var tables []*Table
	for _, s := range Specs {
		b, err := os.ReadFile(filepath.Join(root, "docs", s.Name+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		table, err := ParseTable(string(b))
		if err != nil {
			t.Fatalf("%s.tsv: %v", s.Name, err)
		}
		tables = append(tables, table)
	}
	for _, fault := range Check(tables, claims) {
		t.Error(fault)
	}
	for i, s := range Specs {
		name := filepath.Join(root, "docs", s.Name+".md")
		page := Page(s, tables[i], claims)
		if *update {
			if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != page {
			t.Errorf("docs/%s.md is not what the tests say (%v); go test ./internal/requirements -update", s.Name, err)
		}
	}
}
