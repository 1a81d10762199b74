package script

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const page = "../../docs/scripts.md"

// A row is something that scripts are to show, or the title of those that follow.
type row struct{ name, text string }

func readRows(t *testing.T) (list []row) {
	t.Helper()
	b, err := os.ReadFile("testdata/rows.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "# "); ok {
			list = append(list, row{text: title})
			continue
		}
		name, text, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("rows.tsv: %q is no row", line)
		}
		list = append(list, row{name, text})
	}
	return list[1:] // the first is about the file
}

var shows = regexp.MustCompile(`(?m)^// Shows: (.*)\.$`)

// readScripts are the project's scripts by their names.
func readScripts(t *testing.T) map[string]*Script {
	t.Helper()
	all := map[string]*Script{}
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pkt" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".pkt")
		all[name], err = Parse(path, src, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// shownBy are the scripts that show a row, by the rows' names.
func shownBy(t *testing.T, scripts map[string]*Script) map[string][]string {
	t.Helper()
	by := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		src, err := os.ReadFile("testdata/" + name + ".pkt")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shows.FindAllStringSubmatch(string(src), -1) {
			for _, row := range strings.Split(m[1], ", ") {
				by[row] = append(by[row], name)
			}
		}
	}
	return by
}

// TestEachRowIsShown holds that each row of rows.tsv has a script, that scripts name
// no other, and that docs/scripts.md says which (-update writes it).
func TestEachRowIsShown(t *testing.T) {
	by := shownBy(t, readScripts(t))
	var b strings.Builder
	rows := map[string]bool{}
	for _, r := range readRows(t) {
		if r.name == "" {
			fmt.Fprintf(&b, "\n### %s\n\n| what | scripts |\n|---|---|\n", r.text)
			continue
		}
		rows[r.name] = true
		if len(by[r.name]) == 0 {
			t.Errorf("no script shows %s: %s", r.name, r.text)
		}
		fmt.Fprintf(&b, "| %s | `%s` |\n", r.text, strings.Join(by[r.name], "`, `"))
	}
	for name, list := range by {
		if !rows[name] {
			t.Errorf("%v show %q, which is no row", list, name)
		}
	}
	compareBlock(t, "rows", b.String())
}

// compareBlock compares a block of the page, or writes it.
func compareBlock(t *testing.T, name, want string) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	from, to := "<!-- "+name+" -->\n", "\n<!-- end of "+name+" -->"
	i, j := strings.Index(text, from), strings.Index(text, to)
	if i < 0 || j < i {
		t.Fatalf("%s has no block %q", page, name)
	}
	i += len(from)
	if text[i:j] == want {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Errorf("%s is not what the scripts say: go test ./lab/script -run Shown -update", page)
		return
	}
	if err := os.WriteFile(page, []byte(text[:i]+want+text[j:]), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestEachConstructIsUsed holds that each call, each option of TCP, each kind of
// packet and each form of an event is in some script.
func TestEachConstructIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, s := range readScripts(t) {
		for i := range s.events {
			constructs(&s.events[i], used)
		}
	}
	want := []string{
		"an absolute time", "a relative time", "any time", "a range of time", "a call that waits", "an error", "any result",
		"an IP header", "ECN", "a number of AccECN", "any option", "a port", "an urgent pointer", "TCP", "UDP", "ICMP", "an MTU",
		"code", "a command", "option FO", "option FOEXP", "option mss", "option wscale", "option sackOK", "option sack",
		"option TS", "option md5", "option ao", "option nop", "option eol", "option generic",
	}
	for name := range callers {
		want = append(want, "call "+name)
	}
	for _, name := range want {
		if !used[name] {
			t.Errorf("no script has %s", name)
		}
	}
}

var optionKinds = map[uint8]string{
	optEnd: "eol", optNop: "nop", optMSS: "mss", optWScale: "wscale", optSACKPermitted: "sackOK", optSACK: "sack",
	optTimestamps: "TS", optMD5: "md5", optAO: "ao", optFastOpen: "FO", optExperiment: "FOEXP",
}

// constructs notes what an event is made of.
func constructs(e *event, used map[string]bool) {
	note := func(name string, is bool) { used[name] = used[name] || is }
	note("an absolute time", !e.at.relative && !e.at.any && e.at.at > 0)
	note("a relative time", e.at.relative && e.at.at > 0)
	note("any time", e.at.any)
	note("a range of time", e.at.isRange)
	switch a := e.action.(type) {
	case *snippet:
		used["code"] = true
	case *command:
		used["a command"] = true
	case *call:
		used["call "+a.name] = true
		note("a call that waits", a.blocks)
		note("an error", a.errno != "")
		note("any result", a.result.kind == exprAny)
	case *packet:
		used[map[uint8]string{6: "TCP", 17: "UDP", 1: "ICMP"}[a.protocol]] = true
		note("an IP header", a.ip.ttl != 0 || a.ip.check == tosWhole)
		note("ECN", a.ip.check == tosECN)
		note("a number of AccECN", a.tcp.ace)
		note("any option", a.anyOptions)
		note("a port", a.srcPort != 0)
		note("an urgent pointer", a.tcp.urg != 0)
		note("an MTU", a.icmp.mtu > 0)
		for i := range a.tcp.options {
			name, ok := optionKinds[a.tcp.options[i].kind]
			if !ok {
				name = "generic"
			}
			used["option "+name] = true
		}
	}
}
