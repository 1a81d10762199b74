// Package overlay puts berth under package net of the Go toolchain: it writes
// the file that go build's -overlay takes.
//
// Nothing of the toolchain is copied into this module or changed on disk. The
// packages of berth and its bridge are mapped into the standard library, below
// internal/berth, with their imports renamed. Of package net, and of the switch
// that its tests count sockets with, some lines are replaced (edits.go), and one
// file is added (glue/net.go) whose type stands where net has its descriptors.
//
// The lines are those of one release of Go. With another release Write fails,
// and so it does if a line to replace is not there.
package overlay

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Release is the release of Go whose package net the edits are made for.
const Release = "go1.26"

const (
	module = "example.com/berth"         // where berth is
	inside = "internal/berth"            // where it is in the standard library
	bridge = module + "/gosuites/bridge" // what package net calls
)

// Write writes into dir what the toolchain is to read, and returns the name of
// the overlay's file. It must run in this module.
func Write(dir string) (string, error) {
	root, err := toolchain()
	if err != nil {
		return "", err
	}
	o := &overlay{dir: dir, src: filepath.Join(root, "src"), Replace: make(map[string]string)}
	if err := o.addBerth(); err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	if err := o.editNet(); err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	b, err := json.MarshalIndent(o, "", "\t")
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, b, 0o666)
}

// toolchain returns the GOROOT of a toolchain that is the right one.
func toolchain() (root string, err error) {
	out, err := exec.Command("go", "env", "GOVERSION", "GOOS", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("overlay: go env: %w", err)
	}
	return fits(string(out))
}

// fits reads what go env says of GOVERSION, GOOS and GOROOT.
func fits(env string) (root string, err error) {
	v := strings.Split(strings.TrimSpace(env), "\n")
	if v[0] != Release && !strings.HasPrefix(v[0], Release+".") {
		return "", fmt.Errorf("overlay: the toolchain is %s, and the edits of package net are for %s", v[0], Release)
	}
	if v[1] != "linux" {
		return "", fmt.Errorf("overlay: GOOS is %s, and the edits of package net are for linux", v[1])
	}
	return v[2], nil
}

type overlay struct {
	Replace map[string]string // what the toolchain reads, and what it gets

	dir, src string
}

// put adds or replaces a file below GOROOT/src.
func (o *overlay) put(name string, content []byte) error {
	to := filepath.Join(o.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	o.Replace[filepath.Join(o.src, filepath.FromSlash(name))] = to
	return os.WriteFile(to, content, 0o666)
}

// addBerth adds the bridge and what it depends on.
func (o *overlay) addBerth() error {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Standard", bridge)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath, Dir string
			GoFiles         []string
			Standard        bool
		}
		if err := d.Decode(&p); err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		if p.Standard {
			continue
		}
		if !strings.HasPrefix(p.ImportPath, module) {
			return fmt.Errorf("%s depends on %s, which the standard library cannot import", bridge, p.ImportPath)
		}
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				return err
			}
			if b, err = moved(b); err != nil {
				return err
			}
			if err := o.put(inStd(p.ImportPath)+"/"+f, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// inStd is the import path of a package of berth in the standard library.
func inStd(path string) string { return inside + strings.TrimPrefix(path, module) }

// moved renames the imports of a source file to where berth is in the standard
// library.
func moved(src []byte) ([]byte, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var out []byte
	at := 0
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if path != module && !strings.HasPrefix(path, module+"/") {
			continue
		}
		start := int(spec.Path.Pos() - f.FileStart)
		out = append(out, src[at:start]...)
		out = strconv.AppendQuote(out, inStd(path))
		at = start + len(spec.Path.Value)
	}
	return append(out, src[at:]...), nil
}
