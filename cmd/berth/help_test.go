package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, path, got, string(file))
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"", "demo", "echo", "listen", "connect", "ping", "ss", "run"} {
		args := []string{"--help"}
		if name != "" {
			args = []string{name, "--help"}
		}
		r := run(t, "", args...)
		wantStatus(t, r.status, exitSuccess)
		want(t, "standard error", r.stderr, "")
		golden(t, "help/berth"+name+".txt", r.stdout)
		for line := range strings.Lines(r.stdout) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
				t.Errorf("%s: a line of %d columns: %s", name, n, line)
			}
		}
	}
}

func TestWithoutCommandIsHelp(t *testing.T) {
	want(t, "berth", run(t, "").stdout, run(t, "", "--help").stdout)
}

func TestVersion(t *testing.T) {
	r := run(t, "", "--version")
	wantStatus(t, r.status, exitSuccess)
	if !strings.HasPrefix(r.stdout, "berth ") || !strings.Contains(r.stdout, "(go") {
		t.Errorf("version %q", r.stdout)
	}
}
