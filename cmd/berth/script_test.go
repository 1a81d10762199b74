package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scripts writes files to a directory and returns it.
func scripts(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	goodScript = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 close(3) = 0\n"
	badScript  = "0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1\n"
	oddScript  = "`iptables -F`\n0 close(3) = 0\n"
)

func TestScriptExitsWithWhatCame(t *testing.T) {
	for _, tt := range []struct {
		files  map[string]string
		args   []string
		status int
		want   string
	}{
		{map[string]string{"a.pkt": goodScript}, nil, 0, "1 passed, 0 failed, 0 not supported\n"},
		{map[string]string{"a.pkt": goodScript}, []string{"--profile", "freebsd"}, 0, "1 passed, 0 failed, 0 not supported\n"},
		{map[string]string{"a.pkt": "`sysctl -q net.ipv4.tcp_autocorking=0`\n" + goodScript}, []string{"-v"}, 0, "net.ipv4.tcp_autocorking has no meaning here: "},
		{map[string]string{"a.pkt": goodScript}, []string{"--variants"}, 0, "3 passed, 0 failed, 0 not supported\n"},
		{map[string]string{"a.pkt": goodScript, "b.pkt": badScript}, nil, 1, "1 passed, 1 failed, 0 not supported\n"},
		{map[string]string{"a.pkt": oddScript}, nil, 1, "0 passed, 0 failed, 1 not supported\n"},
		{map[string]string{"a.pkt": "0 ?"}, nil, 1, "a.pkt:1:3: a packet, a call, a command or %{ }% is expected, not '?'\n"},
		{map[string]string{"a.pkt": "#ifdef X\n0 ?\n#endif\n" + goodScript}, nil, 0, "is left out\n"},
		{map[string]string{"a.pkt": "#ifdef X\n" + goodScript + "#endif\n"}, []string{"-D", "X", "-v"}, 0, " 0.000000  +0 close(3) = 0\n"},
	} {
		dir := scripts(t, tt.files)
		r := run(t, "", append([]string{"script", dir}, tt.args...)...)
		if r.status != tt.status || !strings.Contains(r.stdout, tt.want) {
			t.Errorf("%v %v: status %d, want %d with %q\n%s%s", tt.files, tt.args, r.status, tt.status, tt.want, r.stdout, r.stderr)
		}
	}
}

func TestScriptTellsExpectedAndActual(t *testing.T) {
	r := run(t, "", "script", scripts(t, map[string]string{"a.pkt": badScript}))
	for _, want := range []string{
		"a.pkt:2:4: another packet went out, at 0.000000: flags", "expected  > S. 0:0(0) ack 1\n", "actual    > R. 0:0(0) ack 1 win 0\n",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is missing in\n%s", want, r.stdout)
		}
	}
}

func TestScriptWritesForMachines(t *testing.T) {
	dir := scripts(t, map[string]string{"a.pkt": goodScript, "b.pkt": badScript, "c.pkt": oddScript})
	xml, pcap := filepath.Join(dir, "out.xml"), filepath.Join(dir, "out.pcapng")
	r := run(t, "", "script", "--json", "--junit", xml, "--pcap", pcap, dir)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	want := []string{"ok", "FAILED", "not supported"}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), r.stdout)
	}
	for i, line := range lines {
		var v struct{ File, Variant, Result, Error string }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Result != want[i] || v.Variant != "ipv4" || (v.Error == "") != (i == 0) {
			t.Errorf("%s: %v", line, err)
		}
	}
	text, err := os.ReadFile(xml)
	if err != nil || !strings.Contains(string(text), `<testsuite name="berth script" tests="3" failures="1" skipped="1">`) {
		t.Errorf("JUnit: %v\n%s", err, text)
	}
	if b, err := os.ReadFile(pcap); err != nil || len(b) < 100 {
		t.Errorf("capture: %d bytes, %v", len(b), err)
	}
}

func TestScriptMisuse(t *testing.T) {
	for _, args := range [][]string{{"script"}, {"script", t.TempDir()}, {"script", "--profile", "plan9", t.TempDir()}} {
		if r := run(t, "", args...); r.status != exitUsage {
			t.Errorf("%v: status %d\n%s", args, r.status, r.stderr)
		}
	}
	if r := run(t, "", "script", "/does/not/exist.pkt"); r.status != exitNetwork {
		t.Errorf("a file that is not there: status %d\n%s", r.status, r.stderr)
	}
}
