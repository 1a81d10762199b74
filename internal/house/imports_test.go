// Package house holds the rules of the project's structure as tests.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "example.com/berth"

// rooms says what each package of the module may import of the module. Imports
// run downwards only: a room may use those on lower floors that are named.
// A name that ends in /... stands for all below it.
var rooms = map[string][]string{
	"socket":                 {},
	"tcpauth":                {"socket"},
	"internal/seqnum":        {},
	"internal/siphash":       {},
	"internal/lean":          {},
	"internal/list":          {"internal/lean"},
	"internal/buffer":        {},
	"internal/house":         {},
	"internal/requirements":  {},
	"internal/header":        {"internal/seqnum"},
	"internal/tcp":           {"internal/header", "internal/seqnum", "internal/siphash", "internal/lean", "internal/buffer", "socket"},
	"internal/reassembly":    {"internal/header", "internal/lean", "internal/buffer"},
	"internal/ipoptions":     {"internal/header"},
	"internal/neighbor":      {"internal/header", "internal/lean", "internal/list"},
	"internal/autoconf":      {"internal/header", "internal/neighbor", "internal/siphash", "internal/lean"},
	"internal/multicast":     {"internal/header", "internal/lean"},
	"internal/icmp":          {"internal/header", "internal/ipoptions", "internal/list", "internal/seqnum", "internal/siphash"},
	"internal/route":         {"internal/lean", "internal/list"},
	"internal/port":          {},
	"internal/nat":           {"internal/header", "internal/list"},
	"internal/hello":         {},
	"internal/mistake":       {},
	"internal/units":         {},
	"internal/term":          {},
	"internal/pinger":        {"socket", "internal/header"},
	"internal/labfile":       {"link/impair", "internal/mistake", "internal/units"},
	"internal/labrun":        {"lab", "lab/report", "link/impair", "netconn", "socket", "internal/labfile", "internal/pinger", "internal/term"},
	"internal/badline":       {"link/impair", "internal/units"},
	"internal/policy":        {"internal/hello", "internal/mistake", "internal/badline"},
	"internal/eventloop":     {},
	"internal/gateway":       {"", "socket", "link", "netconn", "internal/eventloop", "internal/policy"},
	"internal/box":           {"link", "link/tuntap"},
	"internal/ladder":        {"internal/header", "link", "link/impair"},
	"internal/testnet":       {"link", "link/...", "internal/header", "internal/seqnum"},
	"internal/peers":         {},
	"internal/judge":         {"", "socket", "link", "internal/header", "internal/seqnum"},
	"link":                   {"internal/buffer"},
	"link/gso":               {"link", "internal/header"},
	"link/linktest":          {"link", "link/gso", "internal/header"},
	"link/wire":              {"link", "link/gso"},
	"link/impair":            {"link", "link/gso", "internal/header"},
	"link/pcapng":            {"link", "link/gso"},
	"link/internal/...":      {"link", "link/internal/...", "internal/header"},
	"link/tuntap":            {"link", "link/internal/...", "internal/header"},
	"link/afpacket":          {"link", "link/internal/...", "internal/header"},
	"":                       {"socket", "link", "link/gso", "internal/..."},
	"kernel":                 {"socket", "kernel/internal/..."},
	"kernel/internal/...":    {"socket", "kernel/internal/..."},
	"socket/sockettest":      {"socket", "tcpauth"},
	"netconn":                {"socket", "internal/route"},
	"lab":                    {"", "socket", "link", "link/impair", "link/pcapng", "netconn", "lab/report", "internal/nat"},
	"netconn/netconntest":    {"socket", "netconn"},
	"lab/labtest":            {"lab", "internal/labfile", "internal/labrun"},
	"lab/report":             {"link", "internal/header", "internal/seqnum", "internal/ladder"},
	"lab/script":             {"", "socket", "link", "link/pcapng", "internal/header", "internal/seqnum", "internal/siphash", "tcpauth"},
	"lab/report/reporttest":  {"", "lab/report", "link", "link/impair", "link/wire", "netconn"},
	"cmd/berth":              {"", "socket", "link", "link/...", "kernel", "netconn", "lab", "lab/report", "cmd/berth/...", "internal/header", "internal/ladder", "lab/script", "internal/box", "internal/policy", "internal/mistake", "internal/units", "internal/term", "internal/pinger", "internal/labfile", "internal/labrun", "internal/badline"},
	"cmd/berth/internal/...": {"", "socket", "link", "link/...", "kernel", "netconn", "lab", "lab/report", "cmd/berth/...", "internal/header", "internal/ladder", "internal/box", "internal/eventloop", "internal/gateway", "internal/policy", "internal/mistake", "internal/units", "internal/term", "internal/pinger", "internal/labfile", "internal/labrun", "internal/badline"},
}

// withoutNet are the packages that do without package net, so that a program
// that has no need of it stays small, and so that the stack can be slipped under
// it.
var withoutNet = []string{
	"", "socket", "tcpauth", "link", "link/gso", "link/wire", "link/impair", "link/pcapng",
	"internal/seqnum", "internal/siphash", "internal/lean", "internal/list", "internal/buffer", "internal/header", "internal/tcp",
	"internal/reassembly", "internal/neighbor", "internal/autoconf", "internal/multicast",
	"internal/icmp", "internal/ipoptions", "internal/route", "internal/port", "internal/nat",
}

// pure are the rooms below internal/ that are functions of (state, input, now).
var pure = []string{
	"header", "tcp", "reassembly", "neighbor", "autoconf", "multicast", "icmp", "ipoptions", "route", "port", "seqnum", "lean", "list", "nat", "hello",
}

type pkg struct {
	ImportPath    string
	Imports, Deps []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room is the name of a package of the module, "" for the root.
func room(importPath string) (string, bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

func TestImportsRunDownwards(t *testing.T) {
	for _, p := range list(t) {
		name, _ := room(p.ImportPath)
		allowed, known := rooms[name]
		if !known {
			for pattern, list := range rooms {
				if strings.HasSuffix(pattern, "/...") && matches(pattern, name) {
					allowed, known = list, true
				}
			}
		}
		if !known {
			t.Errorf("%q is in no row of the table: say what it may import", name)
			continue
		}
		for _, i := range p.Imports {
			used, ours := room(i)
			if ours && !slices.ContainsFunc(allowed, func(a string) bool { return matches(a, used) }) {
				t.Errorf("%q imports %q, which the table does not allow", name, used)
			}
		}
	}
}

func TestTheStackDoesWithoutNet(t *testing.T) {
	for _, p := range list(t) {
		name, _ := room(p.ImportPath)
		if slices.Contains(withoutNet, name) && slices.Contains(p.Deps, "net") {
			t.Errorf("%q depends on package net", name)
		}
	}
}
