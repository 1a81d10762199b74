package overlay

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// glue is the file that is added to package net. The constraint in its first
// lines keeps it out of this module.
//
//go:embed glue/net.go
var glue []byte

// calls are the system calls on sockets. Where package net makes one, or its
// tests or the switch that they count sockets with do, the bridge is called
// instead.
var calls = regexp.MustCompile(`\bsyscall\.(Socket|Bind|Listen|Connect|Accept4?|Getsockname|Getpeername|GetsockoptInt|SetsockoptInt|Read|Write|Close)\b`)

// An edit replaces what a pattern finds in a file, at each place.
type edit struct {
	file, pattern, with string
}

// edits are the lines of package net that change.
var edits = []edit{
	// A descriptor is the kernel's or berth's.
	{"net/fd_posix.go", `\bpfd poll\.FD\b`, `pfd berthFD`},
	{"net/fd_posix.go", `\t"internal/poll"\n`, ""},
	{"net/fd_unix.go", `\bpoll\.FD\{([^}]*)\}`, `berthFD{FD: poll.FD{$1}, sock: bridge.Lookup(sysfd)}`},
	// Package os asks for it to copy from and to files in the kernel.
	{"net/rawconn.go", `return &c\.fd\.pfd\b`, `return c.fd.pfd.kernel()`},
	// What is copied in the kernel alone is not berth's.
	{"net/sendfile.go", `if !supportsSendfile\(\)`, `if c.pfd.sock != nil || !supportsSendfile()`},
	{"net/sendfile.go", `&c\.pfd\b`, `&c.pfd.FD`},
	{"net/splice_linux.go", `(written, handled, err = pollSplice\()&c\.pfd, &s\.pfd,`, "if c.pfd.sock != nil || s.pfd.sock != nil {\n\t\treturn 0, nil, false\n\t}\n\t$1&c.pfd.FD, &s.pfd.FD,"},
	{"net/splice_linux.go", `(written, handled, err = pollSplice\()&uc\.fd\.pfd, &c\.pfd,`, "if uc.fd.pfd.sock != nil || c.pfd.sock != nil {\n\t\treturn 0, nil, false\n\t}\n\t$1&uc.fd.pfd.FD, &c.pfd.FD,"},
	{"net/sendfile_test.go", `\.fd\.pfd\b`, `.fd.pfd.FD`},
	// The interfaces are berth's.
	{"net/interface_linux.go", `\nfunc (interface(?:|Addr|MulticastAddr)Table)\(`, "\nfunc kernel_$1("},
}

// editNet replaces what has to be in package net, and in socktest.
func (o *overlay) editNet() error {
	changed := make(map[string][]byte)
	for _, dir := range []string{"net", "net/internal/socktest"} {
		if err := o.redirect(dir, changed); err != nil {
			return err
		}
	}
	for _, e := range edits {
		src, ok := changed[e.file]
		if !ok {
			var err error
			if src, err = os.ReadFile(filepath.Join(o.src, e.file)); err != nil {
				return err
			}
		}
		re := regexp.MustCompile(e.pattern)
		if !re.Match(src) {
			return fmt.Errorf("%s of this toolchain has nothing like %s", e.file, e.pattern)
		}
		changed[e.file] = re.ReplaceAll(src, []byte(e.with))
	}
	for name, src := range changed {
		if bytes.Contains(src, []byte("bridge.")) {
			src = withImport(src)
		}
		if err := o.put(name, src); err != nil {
			return err
		}
	}
	_, code, _ := strings.Cut(string(glue), "\n\n") // behind the constraint
	b, err := moved([]byte(code))
	if err != nil {
		return err
	}
	return o.put("net/berth.go", b)
}

// redirect makes the calls on sockets in a package and its tests the bridge's.
func (o *overlay) redirect(dir string, changed map[string][]byte) error {
	names, err := filepath.Glob(filepath.Join(o.src, dir, "*.go"))
	if err != nil {
		return err
	}
	found := 0
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if calls.Match(src) {
			src = calls.ReplaceAll(src, []byte("bridge.$1"))
			if !bytes.Contains(src, []byte("syscall.")) {
				src = bytes.Replace(src, []byte("\t\"syscall\"\n"), nil, 1)
			}
			changed[dir+"/"+filepath.Base(name)] = src
			found++
		}
	}
	if found == 0 {
		return fmt.Errorf("package %s of this toolchain makes no calls on sockets", dir)
	}
	return nil
}

// withImport adds the import of the bridge.
func withImport(src []byte) []byte {
	clause := regexp.MustCompile(`(?m)^package \w+$`)
	return clause.ReplaceAll(src, fmt.Appendf(nil, "$0\n\nimport %q", inStd(bridge)))
}
