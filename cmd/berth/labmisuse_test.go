package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLabMisuse has mistakes in files be told with their place and what to do.
func TestLabMisuse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		first      string // line of what is said
		hint       string // a part of it; empty for none
	}{
		{"unknown key", "hosts: [a, b]\nlinks:\n  - between: [a, b]\n    los: 1%\n", `4:5: unknown key "los" in a link`, `did you mean "loss"?`},
		{"unknown host", "hosts: [web, client]\nlinks:\n  - between: [web, cleint]\n", `3:20: there is no host "cleint"`, `did you mean "client"?`},
		{"loss over 100 %", "hosts: [a, b]\nlinks: [{between: [a, b], loss: 101%}]\n", `2:33: loss: "101%" is more than 100%`, "a share is"},
		{"address clash", "hosts: [a, b]\nlinks: [{between: [a, b], addresses: {a: 10.1.0.1/24, b: 10.1.0.1/24}}]\n", `2:58: address 10.1.0.1 of b is that of a already (line 2)`, "another address"},
		{"clash with the lab's", "hosts: [a, b, c]\nlinks:\n  - between: [a, b]\n  - between: [b, c]\n    addresses: {c: 10.0.0.1/24}\n", `4:5: link b with c: address 10.0.0.1 is that of a/eth0 already`, ""},
		{"bad unit", "hosts: [a, b]\nlinks: [{between: [a, b], delay: 20 sec}]\n", `2:34: delay: "20 sec" is not a duration`, "ns, us, ms, s, m or h"},
		{"no unit", "hosts: [a, b]\nlinks: [{between: [a, b], rate: 10}]\n", `2:33: rate: "10" has no unit`, "10 Mbit/s"},
		{"empty", "", "1:1: the file is empty: it has no hosts", "--help"},
		{"only comments", "# nothing\n", "1:1: the file is empty: it has no hosts", "--help"},
		{"no hosts", "name: x\n", "1:1: the file has no hosts", "hosts: [client, server]"},
		{"tabs", "hosts:\n\t- a\n", "2:1: this is not YAML: a tab indents this line", "replace the tab"},
		{"not YAML", "hosts: [a, b\n", "1:13: this is not YAML: did not find expected ',' or ']'", ""},
		{"two documents", "hosts: [a]\n---\nhosts: [b]\n", "2:1: a second document begins here", "one network"},
		{"not UTF-8", "hosts: [a]\nname: \xff\n", "2:7: there is a byte that is not UTF-8", "UTF-8"},
		{"twice", "hosts: [a]\nhosts: [b]\n", `2:1: the key "hosts" is there twice`, "remove"},
		{"host twice", "hosts: [a, A]\n", `1:12: there is a host called "A" already`, "another name"},
		{"command on a switch", "hosts: {a: host, s: switch}\nrun: [{ping: {on: s, to: a}}]\n", "2:19: s is a switch: it has no address, and runs nothing", "there are a"},
		{"nothing to reach", "hosts: [a, b]\nrun: [{ping: {on: a}}]\n", "2:8: ping does not say where to", "to:"},
		{"unknown metric", "hosts: [a, b]\nrun: [{ping: {on: a, to: b, expect: {lossy: 1%}}}]\n", `2:38: unknown key "lossy" in what is expected of ping`, `did you mean "loss"?`},
		{"unknown action", "hosts: [a, b]\nevents: [{at: 1s, crahs: a}]\n", `2:19: unknown key "crahs" in an event`, `did you mean "crash"?`},
		{"no link", "hosts: [a, b, c]\nlinks: [{between: [a, b]}]\nevents: [{at: 1s, cut: [a, c]}]\n", "3:24: there is no link between a and c", "a has links to b"},
		{"missing trace", "hosts: [a, b]\nlinks: [{between: [a, b], trace: no.trace}]\n", `2:34: trace: cannot read "no.trace": there is no such file`, "mahimahi"},
		{"port taken", "hosts: [a, b]\nlinks: [{between: [a, b]}]\nrun: [{echo: {on: b, port: 80}}, {http: {on: a, to: b}}]\n", "3:35: http: http/:80 on b: listen: address already in use", ""},
		{"endless", "time: fake\nhosts: [a]\nrun: [{echo: {on: a}}]\n", "nothing ends the run of stdin", "--for 10s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := runLab(t, tt.text)
			wantStatus(t, r.status, exitUsage)
			want(t, "standard output", r.stdout, "")
			said, _, _ := strings.Cut(r.stderr, "\n")
			place := "berth lab: stdin:"
			if tt.name == "endless" {
				place = "berth lab: "
			}
			want(t, "what was said", said, place+tt.first)
			if tt.hint != "" && !strings.Contains(r.stderr, tt.hint) || tt.hint != "" != strings.Contains(r.stderr, "\nHint:  ") {
				t.Errorf("the hint %q is not in\n%s", tt.hint, r.stderr)
			}
		})
	}
}

func TestLabShowsTheLine(t *testing.T) {
	r := runLab(t, "hosts: [a, b]\nlinks:\n  - between: [a, b]\n    los: 1%\n    delay: \x1f\n")
	if strings.Contains(r.stderr, "\x1f") {
		t.Errorf("a control character reached the terminal: %q", r.stderr)
	}
	r = runLab(t, "hosts: [a, b]\nlinks:\n  - between: [a, b]\n    los: 1%\n    dleay: 2\n")
	want(t, "standard error", r.stderr, `berth lab: stdin:4:5: unknown key "los" in a link

    4 |     los: 1%
      |     ^^^
Hint:  did you mean "loss"?

berth lab: stdin:5:5: unknown key "dleay" in a link

    5 |     dleay: 2
      |     ^^^^^
Hint:  did you mean "delay"?
`)
}

func TestLabFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ args, problem string }{
		{"no/such.yaml", `cannot read "no/such.yaml": there is no such file`},
		{dir, `cannot read "` + dir + `": it is a directory`},
		{"--pcap " + dir + " testdata/lab/nat.yaml", `cannot write "` + dir + `": it is a directory`},
		{"", "no file is given"},
		{"a b", `one argument too many: "b"`},
		{"--fake --wall a", "--fake and --wall exclude each other"},
		{"--schema a", "--schema takes no file"},
		{"--for 0 testdata/lab/nat.yaml", "--for is no time at all"},
		{"--for x a", `invalid --for "x": want seconds such as 0.2, or a duration such as 200ms`},
	} {
		r := run(t, "", append([]string{"lab"}, strings.Fields(tt.args)...)...)
		wantStatus(t, r.status, exitUsage)
		said, _, _ := strings.Cut(r.stderr, "\n")
		want(t, tt.args, said, "berth lab: "+tt.problem)
		if !strings.Contains(r.stderr, "\nHint:  ") {
			t.Errorf("no hint in\n%s", r.stderr)
		}
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, "", "lab", big)
	wantStatus(t, r.status, exitUsage)
	if !strings.Contains(r.stderr, "it may have 1048576") {
		t.Errorf("said %q", r.stderr)
	}
}
