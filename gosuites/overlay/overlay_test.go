package overlay

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMoved(t *testing.T) {
	const src = `package p

import (
	"fmt"

	"example.com/berth"
	l "example.com/berth/link"
	"example.com/berthold"
)

const path = "example.com/berth"
`
	want := strings.NewReplacer(
		`	"example.com/berth"`, `	"internal/berth"`,
		`"example.com/berth/link"`, `"internal/berth/link"`,
	).Replace(src)
	got, err := moved([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("moved:\n%s\nwant:\n%s", got, want)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	name, err := Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var o overlay
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	root, err := toolchain()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"net/berth.go", "net/fd_unix.go", "net/internal/socktest/sys_unix.go",
		"internal/berth/host.go", "internal/berth/internal/tcp/conn.go", "internal/berth/gosuites/bridge/fd.go",
	} {
		to := o.Replace[filepath.Join(root, "src", want)]
		b, err := os.ReadFile(to)
		if err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if strings.Contains(string(b), `"`+module) || strings.Contains(string(b), "go:build berth") {
			t.Errorf("%s is as it is outside the standard library", want)
		}
	}
}

// A toolchain whose package net is another one is refused, not miscompiled.
func TestALineThatIsNotThere(t *testing.T) {
	src := t.TempDir()
	for _, dir := range []string{"net", "net/internal/socktest"} {
		if err := os.MkdirAll(filepath.Join(src, dir), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(src, dir, "fd_posix.go"), []byte("package x\n\nvar _ = syscall.Bind(1)\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := &overlay{dir: t.TempDir(), src: src, Replace: make(map[string]string)}
	err := o.editNet()
	if err == nil || !strings.HasPrefix(err.Error(), "net/fd_posix.go of this toolchain has nothing like ") {
		t.Errorf("editNet = %v", err)
	}
}

func TestAnotherRelease(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"go1.26\nlinux\n/go\n", ""},
		{"go1.26.8 X:nodwarf5\nlinux\n/go\n", ""},
		{"go1.26rc1\nlinux\n/go\n", "overlay: the toolchain is go1.26rc1, and the edits of package net are for go1.26"},
		{"go1.27.0\nlinux\n/go\n", "overlay: the toolchain is go1.27.0, and the edits of package net are for go1.26"},
		{"go1.26.8\ndarwin\n/go\n", "overlay: GOOS is darwin, and the edits of package net are for linux"},
	} {
		got := ""
		if _, err := fits(tt.env); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.env, got, tt.want)
		}
	}
}
